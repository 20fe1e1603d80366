import { $ } from 'execa'
for (const file of (await $`git diff --name-only -z`).stdout.split('\0').filter(Boolean)) console.log(`changed: ${file}`)
