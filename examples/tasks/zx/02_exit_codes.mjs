// Without git, or outside of a repository, it says "changed".
const todo = await $`grep -c TODO plan.txt`.nothrow()
if (todo.exitCode !== 0 && todo.exitCode !== 1) throw todo
echo(todo.exitCode === 1 ? 'nothing to do' : `${todo.stdout.trim()} to do`)
echo((await $`git diff --quiet`.exitCode) === 0 ? 'clean' : 'changed')
