from subprocess import Popen, PIPE
for _ in range(200):
    a = Popen(["/bin/echo", "hi"], stdout=PIPE)
    b = Popen(["/bin/cat"], stdin=a.stdout, stdout=PIPE)
    a.stdout.close()
    c = Popen(["/bin/cat"], stdin=b.stdout, stdout=PIPE, text=True)
    b.stdout.close()
    last = c.communicate()[0]
    assert a.wait() == b.wait() == c.returncode == 0
print(last)
