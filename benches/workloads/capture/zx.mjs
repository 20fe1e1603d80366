import { $ } from "zx";
let last;
for (let i = 0; i < 500; i++) last = await $`/bin/echo hi`;
console.log(last.stdout);
