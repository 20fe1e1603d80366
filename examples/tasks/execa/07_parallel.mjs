// There is no limit: two workers take what is left.
import { $ } from 'execa'
const hosts = ['web', 'db', 'mail', 'cache'], done = []
const worker = async () => { while (hosts.length) done.push(await $({ reject: false })`deploy ${hosts.shift()}`) }
await Promise.all([worker(), worker()])
console.log(`${done.filter((one) => !one.failed).length} ok, ${done.filter((one) => one.failed).length} failed`)
