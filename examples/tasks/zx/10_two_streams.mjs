const result = await $({ cwd: 'web', env: { ...process.env, NODE_ENV: 'test' } })`build`
echo(`out: ${result.stdout.trim()}; err: ${result.stderr.trim()}`)
