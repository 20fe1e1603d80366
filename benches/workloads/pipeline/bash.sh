i=0
while [ $i -lt 200 ]; do last=$(/bin/echo hi | /bin/cat | /bin/cat); i=$((i+1)); done
echo $last
