# Without a terminal it takes its answers from the input of the script; any word is a target.
read -r -p "Deploy where? [staging] " target || true
if [ "${target:=staging}" = prod ]; then read -r -p "Really? " sure; [ "$sure" = y ] || exit 1; fi
echo "deploying to $target"
