// A tree of processes, one of which answers each byte of the input with the same byte. Its first argument says how that
// one comes to be. A byte 'c' is answered after a second of computing.
#include "../guest.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void compute(void) {
    clock_t end = clock() + CLOCKS_PER_SEC;
    while (clock() < end)
        ;
}

static int echo(void) {
    char byte;
    while (read(0, &byte, 1) == 1) {
        if (byte == 'c')
            compute();
        if (write(1, &byte, 1) != 1)
            return 1;
    }
    return 0;
}

static int await(pid_t pid) {
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "echo";
    char *again[] = {argv[0], "echo", NULL}, *nothing[] = {NULL};
    pid_t pid = 0;
    if (!strcmp(how, "echo"))
        return echo();
    if (!strcmp(how, "exec"))
        return execv("/proc/self/exe", again);
    if (!strcmp(how, "spawn"))
        return posix_spawn(&pid, "/proc/self/exe", NULL, NULL, again, nothing) ? 1 : await(pid);
    pid = fork();
    if (pid < 0)
        return 1;
    if (!strcmp(how, "orphan") && pid)
        return 0;
    if (!strcmp(how, "computes") && pid) {
        compute();
        return await(pid);
    }
    if (!strcmp(how, "waits") && pid)
        return await(pid);
    if (!strcmp(how, "cleared") && !pid)
        return chdir("/") || execve("/proc/self/exe", again, nothing);
    if (!strcmp(how, "daemon")) {
        if (pid)
            return 0;
        setsid();
        for (int fd = 3; fd < 4096; fd++) {
            close(fd);
            fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
        close_range(3, ~0U, 0);
        closefrom(3);
        return execv("/proc/self/exe", again);
    }
    return pid ? await(pid) : echo();
}
