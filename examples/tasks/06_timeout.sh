# Differs: it waits thirty seconds for the descendant, which holds the output.
out=$(timeout 0.2 slow) || echo "\`slow\` timed out after 200 ms"
