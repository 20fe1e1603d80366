sum = 0
for i in range(300000):
    if i % 3 == 0:
        sum += i
print(sum)
