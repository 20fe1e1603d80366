import $ from 'dax'
for (const file of (await $`git diff --name-only -z`.text()).split('\0').filter(Boolean)) console.log(`changed: ${file}`)
