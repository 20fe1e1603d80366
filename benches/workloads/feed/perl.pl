use IPC::Open2;
my $data = "x" x (64 << 20);
my $pid = open2(my $out, my $in, "wc", "-c");
print $in $data;
close $in;
print <$out>;
waitpid $pid, 0;
die if $?;
