// pipe_ready rw|poll COUNT: calls that could block and do not, because the data is there; real ns an operation.
//   rw    one byte written and read back
//   poll  poll(…, 5000) on a pipe that has a byte in it
#include "bench.h"
#include <poll.h>

static int ends[2];

static void write_read(long count)
{
    char byte = 'x';
    for (long i = 0; i < count; i++)
        if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            die("pipe");
}

static void polls(long count)
{
    struct pollfd one = {.fd = ends[0], .events = POLLIN};
    for (long i = 0; i < count; i++)
        if (poll(&one, 1, 5000) != 1)
            die("poll");
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 2);
    void (*work)(long) = strcmp(argv[1], "poll") == 0 ? polls : write_read;
    if (pipe(ends) != 0 || (work == polls && write(ends[1], "x", 1) != 1))
        die("pipe");
    work(count / 10 + 1);
    int64_t start = real_ns();
    work(count);
    report(real_ns() - start, count);
    return 0;
}
