// sleep_one COUNT UNIT_NS: one thread that sleeps in a loop; real ns a sleep.
// Under the tool every sleep is one jump of the clock, made by the sleeper itself.
#include "bench.h"

static void sleeps(long count, int64_t unit)
{
    struct timespec length = to_timespec(unit);
    for (long i = 0; i < count; i++)
        if (nanosleep(&length, NULL) != 0)
            die("nanosleep");
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1), unit = number(argc, argv, 2);
    sleeps(count / 10 + 1, unit);
    int64_t start = real_ns();
    sleeps(count, unit);
    report(real_ns() - start, count);
    return 0;
}
