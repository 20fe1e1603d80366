# The server goes on, and is found by its id or not at all.
coproc SERVER { exec server; }
id=$SERVER_PID
while IFS= read -r line <&"${SERVER[0]}"; do echo "$line"; [ "$line" = ready ] && break; done
kill "$id"
