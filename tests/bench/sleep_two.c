// sleep_two COUNT UNIT_NS: two threads that sleep in turn; real ns a jump.
//
// Both sleep two units at a time, one of them a unit later than the other: so each jump wakes the thread that did not
// make it, and costs a wake-up across threads. COUNT is the number of jumps, half of them each.
#include "bench.h"
#include <pthread.h>

static int64_t unit;
static long sleeps_each;

static void sleep_units(int units)
{
    struct timespec length = to_timespec(unit * units);
    if (nanosleep(&length, NULL) != 0)
        die("nanosleep");
}

static void *other(void *unused)
{
    (void)unused;
    sleep_units(1);
    for (long i = 0; i < sleeps_each; i++)
        sleep_units(2);
    return NULL;
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1);
    unit = number(argc, argv, 2);
    sleeps_each = count / 2;
    pthread_t thread;
    check(pthread_create(&thread, NULL, other, NULL), "pthread_create");
    sleep_units(2);
    // Both take turns from here on. The other thread ends half a round later; the difference is one jump in COUNT.
    int64_t start = real_ns();
    for (long i = 0; i < sleeps_each - 1; i++)
        sleep_units(2);
    int64_t end = real_ns();
    check(pthread_join(thread, NULL), "pthread_join");
    report(end - start, 2 * (sleeps_each - 1));
    return 0;
}
