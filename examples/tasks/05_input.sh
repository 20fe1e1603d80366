printf '%s\n' b a | sort
wc -w <<< "two words"
gzip -c < dump.sql > dump.sql.gz
cat dump.sql.gz | gunzip
