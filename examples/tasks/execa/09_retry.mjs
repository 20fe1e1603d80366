import { $ } from 'execa'
for (let attempt = 1, delay = 10; ; attempt++, delay *= 2) {
  try { console.log((await $`flaky`).stdout); break } catch (e) { if (attempt === 5) throw e }
  await new Promise((resolve) => setTimeout(resolve, delay))
}
