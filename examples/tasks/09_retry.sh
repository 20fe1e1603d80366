# When all fail, the script goes on.
delay=0.01
for try in 1 2 3 4 5; do
    if out=$(flaky 2> /dev/null); then echo "$out"; break; fi
    sleep "$delay"; delay=$(echo "$delay * 2" | bc)
done
