for i in (seq 500); set last (/bin/echo hi); or exit 1; end
echo $last
