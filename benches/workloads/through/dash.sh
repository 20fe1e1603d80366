head -c 10G /dev/zero | wc -c
