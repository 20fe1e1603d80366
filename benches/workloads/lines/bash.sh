n=0
seq 1 1000000 | {
    while IFS= read -r l; do case $l in *7*) n=$((n+1)) ;; esac; done
    echo $n
}
