# Differs: with pipefail the first line would end the script; without it, the second succeeds.
yes | head -n 1
set -o pipefail
if ! errors=$({ cat names.txt | check | sort > /dev/null; } 2>&1); then echo "some stage failed: $errors"; fi
