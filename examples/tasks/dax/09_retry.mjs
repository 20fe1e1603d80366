import $ from 'dax'
let wait = 5
console.log(await $.withRetries({ count: 5, delay: { next: () => (wait *= 2) }, quiet: true, action: () => $`flaky`.stderr('null').text() }))
