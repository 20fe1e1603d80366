open F, "-|", "seq", "1", "1000000";
while (<F>) { $n++ if index($_, "7") >= 0 }
close F or die;
print "$n\n";
