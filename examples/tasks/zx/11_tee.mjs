echo(await $`deploy web | tee deploy.log`)
try { echo(await $`deploy mail | tee mail.log`) } catch (e) { echo(`${e.stdout}code ${e.exitCode}, ${fs.readFileSync('mail.log', 'utf8').trim()}`) }
