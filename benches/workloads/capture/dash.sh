set -e
i=0
while [ $i -lt 500 ]; do last=$(/bin/echo hi); i=$((i+1)); done
echo $last
