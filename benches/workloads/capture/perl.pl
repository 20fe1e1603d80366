for (1..500) { $last = `/bin/echo hi`; die if $? }
print $last;
