import { createInterface } from 'node:readline/promises'
const terminal = createInterface({ input: process.stdin, output: process.stdout })
const ask = async (text) => (process.stdin.isTTY ? await terminal.question(text) : '')
const target = await ask('Deploy where? [staging] ') || 'staging'
if (target === 'prod' && await ask('Really? ') !== 'y') process.exit(1)
console.log(`deploying to ${target}`)
terminal.close()
