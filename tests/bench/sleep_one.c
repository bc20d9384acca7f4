// sleep_one COUNT UNIT_NS [unseen]: one thread that sleeps in a loop; real ns a sleep.
// Under the tool every sleep is one jump of the clock, made by the sleeper itself; one by a system call in line, which no
// hook sees, is ended by a visit.
#include "bench.h"

static void sleeps(long count, int64_t unit, int unseen)
{
    struct timespec length = to_timespec(unit);
    for (long i = 0; i < count; i++)
        if ((unseen ? raw_syscall2(SYS_nanosleep, (long)&length, 0) : nanosleep(&length, NULL)) != 0)
            die("nanosleep");
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1), unit = number(argc, argv, 2);
    int unseen = argc > 3 && strcmp(argv[3], "unseen") == 0;
    sleeps(count / 10 + 1, unit, unseen);
    int64_t start = real_ns();
    sleeps(count, unit, unseen);
    report(real_ns() - start, count);
    return 0;
}
