import $ from 'dax'
const result = await $`build`.cwd('web').env('NODE_ENV', 'test').stdout('piped').stderr('piped')
console.log(`out: ${result.stdout.trim()}; err: ${result.stderr.trim()}`)
