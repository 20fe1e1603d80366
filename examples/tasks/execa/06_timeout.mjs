// Differs: it waits thirty seconds for the descendant, which holds the output.
import { $ } from 'execa'
try { await $({ timeout: 200 })`slow` } catch (e) { if (!e.timedOut) throw e; console.log('`slow` timed out after 200 ms') }
