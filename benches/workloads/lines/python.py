import subprocess
p = subprocess.Popen(["seq", "1", "1000000"], stdout=subprocess.PIPE, text=True)
n = 0
for l in p.stdout:
    if "7" in l:
        n += 1
assert p.wait() == 0
print(n)
