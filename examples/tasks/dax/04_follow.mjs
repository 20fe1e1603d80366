import $ from 'dax'
for await (const line of $`server`.linesIter()) { console.log(line); if (line === 'ready') break }
