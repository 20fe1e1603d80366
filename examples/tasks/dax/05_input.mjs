import $ from 'dax'
await $`sort`.stdinText('b\na\n')
await $`wc -w`.stdinText('two words\n')
await $`gzip -c dump.sql > dump.sql.gz`
await $`cat dump.sql.gz | gunzip`
