import $ from 'dax'
const todo = await $`grep -c TODO plan.txt`.noThrow(1).text()
console.log(todo === '0' ? 'nothing to do' : `${todo} to do`)
console.log((await $`git diff --quiet`.noThrow(1).code()) === 0 ? 'clean' : 'changed')
