// Differs: `yes | head` is a failure, whose message holds all that yes had printed, so both are told not to fail.
import { $ } from 'execa'
console.log((await $({ reject: false })`yes`.pipe({ reject: false })`head -n 1`).stdout)
try { await $`cat names.txt`.pipe`check`.pipe`sort` } catch (e) { console.log(`${e.shortMessage}: ${e.stderr}`) }
