// clock_read monotonic|realtime COUNT: ns of processor time a clock_gettime.
#include "bench.h"

static volatile long sink;

static void reads(clockid_t clock, long count)
{
    struct timespec now;
    for (long i = 0; i < count; i++) {
        clock_gettime(clock, &now);
        sink = now.tv_nsec;
    }
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 2);
    clockid_t clock = strcmp(argv[1], "realtime") == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    reads(clock, count / 10 + 1);
    int64_t start = busy_ns();
    reads(clock, count);
    report(busy_ns() - start, count);
    return 0;
}
