import { $ } from 'execa'
const result = await $({ cwd: 'web', env: { NODE_ENV: 'test' } })`build`
console.log(`out: ${result.stdout}; err: ${result.stderr}`)
