# A failure of git goes unseen.
git diff --name-only -z | while IFS= read -r -d '' file; do echo "changed: $file"; done
