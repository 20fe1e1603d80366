for (1..200) { $last = `/bin/echo hi | /bin/cat | /bin/cat` }
print $last;
