(cd web && NODE_ENV=production build 2> /dev/null)
echo "${NODE_ENV:-not set}"
