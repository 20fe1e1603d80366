// Differs: it waits thirty seconds for the descendant, which holds the output; and no error says that time ran out.
try { await $`slow`.timeout('200ms') } catch (e) { if (e.signal !== 'SIGTERM') throw e; echo('`slow` timed out after 200 ms') }
