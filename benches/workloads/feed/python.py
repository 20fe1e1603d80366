import subprocess
print(subprocess.run(["wc", "-c"], input="x" * (64 << 20), check=True, text=True, stdout=subprocess.PIPE).stdout)
