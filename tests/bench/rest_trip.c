// rest_trip COUNT: how long it takes from busy to idle and back. A peer waits for the lock on the state file, writes a byte and
// reads the answer; real ns from one byte to the next. Natively nobody holds that lock.
#include "bench.h"
#include <fcntl.h>
#include <sys/file.h>
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

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1);
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
        return 1;
    return 0;
}
