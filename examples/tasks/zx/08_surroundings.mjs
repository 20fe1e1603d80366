echo(await $({ cwd: 'web', env: { ...process.env, NODE_ENV: 'production' } })`build 2> /dev/null`)
echo(process.env.NODE_ENV ?? 'not set')
