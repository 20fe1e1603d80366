import $ from 'dax'
await $`build 2> /dev/null`.cwd('web').env('NODE_ENV', 'production')
console.log(process.env.NODE_ENV ?? 'not set')
