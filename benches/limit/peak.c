// Runs a program and prints how much memory it had at most, in KiB, on standard error. A program's figure begins with
// that of the process it was forked from, so that this one has to be small.
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    int status;
    struct rusage usage;
    pid_t pid = count > 1 ? fork() : -1;
    if (pid == 0) {
        execvp(arguments[1], arguments + 1);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status) return 1;
    fprintf(stderr, "%ld\n", usage.ru_maxrss);
    return 0;
}
