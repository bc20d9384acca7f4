// spawn COUNT fork|spawn COMMAND [ARGUMENT…]: fork and exec, or posix_spawn, exit and waitpid; real ns a command.
#include "bench.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static pid_t forked(char **command)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    return child;
}

static pid_t spawned(char **command)
{
    pid_t child;
    check(posix_spawnp(&child, command[0], NULL, NULL, command, environ), "posix_spawnp");
    return child;
}

static void run(int forks, char **command)
{
    int status;
    pid_t child = forks ? forked(command) : spawned(command);
    if (waitpid(child, &status, 0) != child)
        die("waitpid");
    if (status != 0) {
        fprintf(stderr, "bench: %s ended with status %#x\n", command[0], status);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1);
    if (argc < 4)
        return 2;
    int forks = strcmp(argv[2], "fork") == 0;
    run(forks, argv + 3);
    int64_t start = real_ns();
    for (long i = 0; i < count; i++)
        run(forks, argv + 3);
    report(real_ns() - start, count);
    return 0;
}
