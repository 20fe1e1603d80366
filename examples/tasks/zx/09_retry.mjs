echo(await retry(5, expBackoff('10s', '10ms'), () => $`flaky`))
