// sleepers turn|beside|ring|memory THREADS JUMPS: what a jump costs when many threads sleep; real ns a jump.
//   turn    THREADS threads are due one after the other, a virtual second apart: every jump wakes another one
//   beside  THREADS threads sleep far into the future while one thread sleeps a second at a time
//   ring    the native yardstick of `turn`: the same threads, each woken by the one before with a futex
//   memory  prints "ready" once all are about to sleep, then stays busy for a moment so that somebody can look at the
//           session's memory from outside
#include "bench.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>

#define SECOND 1000000000LL
#define FAR (1000000 * SECOND)

static long threads, jumps, warm;
static int64_t base; // virtual time at which the first thread is due; all are asleep long before
static atomic_long made;
static atomic_int started;
static int64_t begin_ns;
static atomic_int *words;

static int64_t virtual_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static void sleep_until(int64_t when)
{
    struct timespec at = to_timespec(when);
    int error;
    while ((error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL)) == EINTR) {}
    check(error, "clock_nanosleep");
}

// Called once a jump by whoever woke; ends the program from there, since everybody else is asleep.
static void one_more(void)
{
    long so_far = atomic_fetch_add(&made, 1) + 1;
    if (so_far == warm)
        begin_ns = real_ns();
    if (so_far == warm + jumps) {
        report(real_ns() - begin_ns, jumps);
        _exit(0);
    }
}

static void *in_turn(void *index)
{
    atomic_fetch_add(&started, 1);
    for (int64_t due = base + (long)index * SECOND;; due += threads * SECOND) {
        sleep_until(due);
        one_more();
    }
    return NULL;
}

static void *far_away(void *index)
{
    atomic_fetch_add(&started, 1);
    sleep_until(base + FAR + (long)index * SECOND);
    return NULL;
}

// Straight to the kernel: the yardstick is what waking N different threads in turn costs without anything else.
static void *in_ring(void *index)
{
    long me = (long)index, next = (me + 1) % threads;
    atomic_fetch_add(&started, 1);
    for (;;) {
        while (atomic_exchange(&words[me], 0) == 0)
            syscall(SYS_futex, &words[me], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        one_more();
        atomic_store(&words[next], 1);
        syscall(SYS_futex, &words[next], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    return NULL;
}

static void start_all(void *(*body)(void *))
{
    pthread_attr_t attributes;
    pthread_t id;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32 * 1024);
    for (long i = 0; i < threads; i++)
        check(pthread_create(&id, &attributes, body, (void *)i), "pthread_create");
    // Real time, not the session's: a thread that is still on its way must find the clock where it is.
    while (atomic_load(&started) < threads)
        raw_syscall2(SYS_sched_yield, 0, 0);
}

static void stay_busy(int64_t ns)
{
    for (int64_t end = real_ns() + ns; real_ns() < end;)
        raw_syscall2(SYS_sched_yield, 0, 0);
}

int main(int argc, char **argv)
{
    threads = number(argc, argv, 2);
    jumps = number(argc, argv, 3);
    const char *mode = argv[1];
    base = virtual_ns() + 1000 * SECOND;
    warm = jumps / 5 + 1;
    if (strcmp(mode, "turn") == 0) {
        start_all(in_turn);
        sleep_until(base + 1000 * FAR);
    } else if (strcmp(mode, "ring") == 0) {
        words = calloc((size_t)threads, sizeof *words);
        start_all(in_ring);
        atomic_store(&words[0], 1);
        syscall(SYS_futex, &words[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        for (;;)
            syscall(SYS_futex, &started, FUTEX_WAIT_PRIVATE, (int)threads, NULL, NULL, 0);
    } else if (strcmp(mode, "beside") == 0) {
        start_all(far_away);
        for (int64_t due = base;; due += SECOND) {
            sleep_until(due);
            one_more();
        }
    } else if (strcmp(mode, "memory") == 0) {
        start_all(far_away);
        stay_busy(SECOND / 5); // the last ones park
        printf("ready\n");
        fflush(stdout);
        stay_busy(SECOND / 2);
        _exit(0);
    }
    return 2;
}
