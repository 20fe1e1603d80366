for (const file of await $`git diff --name-only -z`.lines('\0')) echo(`changed: ${file}`)
