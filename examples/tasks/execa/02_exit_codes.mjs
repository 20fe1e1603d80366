import { $ } from 'execa'
const todo = await $({ reject: false })`grep -c TODO plan.txt`
if (todo.exitCode !== 0 && todo.exitCode !== 1) throw todo
console.log(todo.exitCode === 1 ? 'nothing to do' : `${todo.stdout} to do`)
const diff = await $({ reject: false })`git diff --quiet`
if (diff.exitCode !== 0 && diff.exitCode !== 1) throw diff
console.log(diff.exitCode === 0 ? 'clean' : 'changed')
