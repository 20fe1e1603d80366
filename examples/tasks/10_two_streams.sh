errors=$(mktemp)
out=$(cd web && NODE_ENV=test build 2> "$errors")
echo "out: $out; err: $(cat "$errors")"
rm -- "$errors"
