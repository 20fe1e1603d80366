# Without pipefail the code is that of tee.
set -o pipefail
deploy web | tee deploy.log
deploy mail | tee mail.log || echo "code $?, $(cat mail.log)"
