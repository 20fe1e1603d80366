# Who failed, and with what, would take a file for each.
printf '%s\n' web db mail cache | xargs -P 2 -I{} sh -c 'deploy {} > /dev/null || echo {} >> failed.txt'
failed=$(cat failed.txt 2>/dev/null | wc -l)
echo "$((4 - failed)) ok, $((failed)) failed"
