import { $ } from 'execa'
await $({ stdout: ['inherit', { file: 'deploy.log' }] })`deploy web`
try { await $({ stdout: ['inherit', { file: 'mail.log' }, 'pipe'] })`deploy mail` } catch (e) { console.log(`code ${e.exitCode}, ${e.stdout}`) }
