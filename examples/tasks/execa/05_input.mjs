import { $ } from 'execa'
await $({ input: 'b\na\n', stdout: 'inherit' })`sort`
await $({ input: 'two words\n', stdout: 'inherit' })`wc -w`
await $({ inputFile: 'dump.sql', stdout: { file: 'dump.sql.gz' } })`gzip -c`
await $`cat dump.sql.gz`.pipe({ stdout: 'inherit' })`gunzip`
