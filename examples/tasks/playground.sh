#!/bin/sh
# Makes the folder in which the tasks work: sh playground.sh DIR
set -e
mkdir -p "$1"
cd "$1"
git init -q .
git config maintenance.auto false
printf 'one\n' > 'release notes.txt'
printf 'TODO a\nfine\nTODO b\n' > plan.txt
printf 'insert 1;\n' > dump.sql
printf 'carol\nalice\nbob\n' > names.txt
git add . && git -c user.name=me -c user.email=me@example.org commit -q -m first
printf 'two\n' >> 'release notes.txt'
printf 'insert 2;\n' >> dump.sql
mkdir -p web bin
printf '{"name": "web"}\n' > web/package.json

program() { cat > "bin/$1"; chmod +x "bin/$1"; }
# Prints lines for ever; is ready with the third.
program server << 'END'
#!/bin/sh
echo "reading configuration"
echo "opening port"
echo "ready"
while sleep 1; do echo "a request"; done
END
# Leaves a process behind that has its own session and no parent, and holds the output open.
program slow << 'END'
#!/bin/sh
(setsid sleep 30 &)
sleep 30
END
program deploy << 'END'
#!/bin/sh
echo "to $1"
[ "$1" != mail ]
END
# Succeeds the third time.
program flaky << 'END'
#!/bin/sh
echo x >> tries.txt
[ "$(wc -l < tries.txt)" -ge 3 ] && echo "answer" || { echo "busy" >&2; exit 7; }
END
# Reads two lines and fails.
program check << 'END'
#!/bin/sh
read -r first && read -r second
echo "$first" "$second"
echo "bad record" >&2
exit 3
END
program build << 'END'
#!/bin/sh
echo "compiling in $(basename "$PWD") for $NODE_ENV"
echo "warning: unused" >&2
END
