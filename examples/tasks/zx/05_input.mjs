echo(await $({ input: 'b\na\n' })`sort`)
echo(await $({ input: 'two words\n' })`wc -w`)
await $`gzip -c < dump.sql > dump.sql.gz`
echo(await $`cat dump.sql.gz`.pipe`gunzip`)
