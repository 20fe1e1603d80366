import { $ } from 'execa'
await $({ cwd: 'web', env: { NODE_ENV: 'production' }, stdout: 'inherit', stderr: 'ignore' })`build`
console.log(process.env.NODE_ENV ?? 'not set')
