// Without the look at isTTY, the script ends at the question, with code 0.
const target = (process.stdin.isTTY && await question('Deploy where? ', { choices: ['staging', 'prod'] })) || 'staging'
if (target === 'prod' && await question('Really? ') !== 'y') process.exit(1)
echo(`deploying to ${target}`)
