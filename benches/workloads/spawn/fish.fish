for i in (seq 500); /bin/true; or exit 1; end
