import subprocess
print(len(subprocess.run(["head", "-c", "512M", "/dev/zero"], check=True, stdout=subprocess.PIPE).stdout))
