// It goes on until the server has ended; a failure of the server goes unseen.
import { $ } from 'execa'
const server = $({ reject: false })`server`
for await (const line of server) { console.log(line); if (line === 'ready') server.kill() }
