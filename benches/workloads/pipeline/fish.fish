for i in (seq 200); set last (/bin/echo hi | /bin/cat | /bin/cat); end
echo $last
