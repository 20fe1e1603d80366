i=0 sum=0
while [ $i -lt 300000 ]; do if [ $((i%3)) -eq 0 ]; then sum=$((sum+i)); fi; i=$((i+1)); done
echo $sum
