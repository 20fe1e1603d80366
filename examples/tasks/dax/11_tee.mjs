import $ from 'dax'
await $`set -o pipefail; deploy web | tee deploy.log`
const mail = await $`set -o pipefail; deploy mail | tee mail.log`.noThrow()
if (mail.code !== 0) console.log(`code ${mail.code}, ${await $`cat mail.log`.text()}`)
