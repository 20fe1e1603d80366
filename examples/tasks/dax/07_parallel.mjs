// There is no limit: two workers take what is left.
import $ from 'dax'
const hosts = ['web', 'db', 'mail', 'cache'], done = []
const worker = async () => { while (hosts.length) done.push(await $`deploy ${hosts.shift()}`.noThrow().quiet()) }
await Promise.all([worker(), worker()])
console.log(`${done.filter((one) => one.code === 0).length} ok, ${done.filter((one) => one.code !== 0).length} failed`)
