// Without the last line the server goes on, and its next line ends the script with an error.
const server = $`server`
for await (const line of server) { echo(line); if (line === 'ready') break }
await server.nothrow().kill()
