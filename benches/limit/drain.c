// The least that capturing 512 MiB can cost: one buffer that doubles, and reads as large as the pipe.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void) {
    char *argv[] = {"head", "-c", "512M", "/dev/zero", 0};
    int ends[2], status;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC)) return 1;
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawnp(&pid, argv[0], &actions, 0, argv, environ)) return 1;
    close(ends[1]);
    size_t room = 1 << 20, length = 0;
    char *bytes = malloc(room);
    for (long n;; length += n) {
        if (room - length < 1 << 20) bytes = realloc(bytes, room *= 2);
        if (!bytes || (n = read(ends[0], bytes + length, room - length)) <= 0) break;
    }
    if (waitpid(pid, &status, 0) != pid || status) return 1;
    printf("%zu\n", length);
    return 0;
}
