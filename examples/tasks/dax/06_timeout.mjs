// Differs: it waits thirty seconds for the descendant, which holds the output.
import $ from 'dax'
try { await $`slow`.timeout('200ms').text() } catch (e) { if (!e.timedOut) throw e; console.log('`slow` timed out after 200 ms') }
