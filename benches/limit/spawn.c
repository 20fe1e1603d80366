// The least that running a program 500 times can cost: posix_spawn and waitpid.
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(void) {
    char *argv[] = {"/bin/true", 0};
    for (int i = 0; i < 500; i++) {
        pid_t pid;
        int status;
        if (posix_spawn(&pid, argv[0], 0, 0, argv, environ) || waitpid(pid, &status, 0) != pid || status) return 1;
    }
    return 0;
}
