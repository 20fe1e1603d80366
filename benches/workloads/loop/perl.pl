for ($i = 0; $i < 300000; $i++) { $sum += $i if $i % 3 == 0 }
print "$sum\n";
