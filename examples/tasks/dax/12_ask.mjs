import $ from 'dax'
const targets = ['staging', 'prod']
const target = process.stdin.isTTY ? targets[await $.select({ message: 'Deploy where?', options: targets })] : 'staging'
if (target === 'prod' && !await $.confirm('Really?')) process.exit(1)
console.log(`deploying to ${target}`)
