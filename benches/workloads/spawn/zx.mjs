import { $ } from "zx";
for (let i = 0; i < 500; i++) await $`/bin/true`;
