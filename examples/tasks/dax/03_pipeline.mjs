// Differs: which stage failed nobody knows. A `yes | head` of dax's own gathers 4 GiB and dies; without pipefail nothing fails.
import $ from 'dax'
console.log(await $`sh -c ${'yes | head -n 1'}`.text())
try { await $`set -o pipefail; cat names.txt | check | sort`.stdout('null').stderr('piped') } catch (e) { console.log(`code ${e.exitCode}: ${e.stderr}`) }
