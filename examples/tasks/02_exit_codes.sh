# A broken pattern, and a missing git, look like "none" and "changed".
todo=$(grep -c TODO plan.txt)
if [ "$todo" = 0 ]; then echo "nothing to do"; else echo "$todo to do"; fi
if git diff --quiet; then echo clean; else echo changed; fi
