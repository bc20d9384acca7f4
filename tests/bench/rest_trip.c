// rest_trip read|sleep COUNT: how long it takes from busy to idle and back.
//   read   a peer that waits for the lock on the state file, then writes a byte, then reads the answer; real ns from one
//          byte to the next. Natively nobody holds that lock.
//   sleep  the shortest sleep, in a loop
#include "bench.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int question[2], answer[2];

// Not tracked (LIBIDLE_CHILDREN=0): somebody outside.
static void peer(long count)
{
    const char *path = getenv("LIBIDLE_STATEFILE");
    int state = path ? open(path, O_RDONLY) : fileno(tmpfile());
    if (state < 0)
        die("state file");
    int64_t start = 0;
    for (long i = -count / 10 - 1; i < count; i++) {
        if (i == 0)
            start = real_ns();
        char byte = 'x';
        flock(state, LOCK_SH);
        flock(state, LOCK_UN);
        if (write(question[1], &byte, 1) != 1 || read(answer[0], &byte, 1) != 1)
            die("pipe");
    }
    report(real_ns() - start, count);
}

static void reads(long count)
{
    if (pipe(question) != 0 || pipe(answer) != 0)
        die("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        close(question[0]);
        close(answer[1]);
        peer(count);
        exit(0);
    }
    close(question[1]);
    close(answer[0]);
    char byte;
    while (read(question[0], &byte, 1) == 1)
        if (write(answer[1], &byte, 1) != 1)
            die("pipe");
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        exit(1);
}

static void sleeps(long count)
{
    // Natively the kernel would add 50 us to each sleep.
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec least = to_timespec(1);
    int64_t start = real_ns();
    for (long i = 0; i < count; i++)
        nanosleep(&least, NULL);
    report(real_ns() - start, count);
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 2);
    if (strcmp(argv[1], "read") == 0)
        reads(count);
    else
        sleeps(count);
    return 0;
}
