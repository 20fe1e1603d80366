import subprocess
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda i: subprocess.run(["/bin/true"], check=True), range(1000)))
