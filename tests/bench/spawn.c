// spawn COUNT COMMAND [ARGUMENT…]: fork, exec, exit and waitpid; real ns a command.
#include "bench.h"
#include <sys/wait.h>

static void run(char **command)
{
    int status;
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
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
    if (argc < 3)
        return 2;
    run(argv + 2);
    int64_t start = real_ns();
    for (long i = 0; i < count; i++)
        run(argv + 2);
    report(real_ns() - start, count);
    return 0;
}
