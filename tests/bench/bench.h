// What every benchmark program shares: a clock the tool cannot touch, and one number as output.
//
// The tool hooks libc's entry points and may overwrite the vDSO, so a program that wants to know how long it *really*
// took asks the kernel with an instruction of its own. (A session with --trace=all would see even that one; the
// benchmark does not use it.) In a statically linked one this is seen too, so there the processor's counter is asked.
#ifndef FLUX_BENCH_H
#define FLUX_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the raw clock below is written for x86-64"
#endif

static inline long raw_syscall2(long number, long a, long b)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

static inline int64_t raw_clock(clockid_t clock)
{
    struct timespec now;
    raw_syscall2(SYS_clock_gettime, clock, (long)&now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// The thread's own processor time, which is never virtual: for loops that only compute. A busy machine adds little to it.
static inline int64_t busy_ns(void)
{
    return raw_clock(CLOCK_THREAD_CPUTIME_ID);
}

// Real nanoseconds, whatever the session's clock says.
#ifndef BENCH_STATIC
static inline int64_t real_ns(void)
{
    return raw_clock(CLOCK_MONOTONIC);
}
#else
// The processor's time stamps.
static inline uint64_t stamp(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high) : : "rcx", "memory");
    return (uint64_t)high << 32 | low;
}

// Nanoseconds a stamp, measured where nothing interrupts the thread.
static double stamp_ns(void)
{
    static double most;
    static int tries;
    for (; tries < 20; tries++) {
        uint64_t began = stamp(), stamps = 0;
        int64_t start = busy_ns(), ns = 0;
        while (ns < 1000000) {
            ns = busy_ns() - start;
            stamps = stamp() - began;
        }
        if ((double)ns / (double)stamps > most)
            most = (double)ns / (double)stamps;
    }
    return most;
}

__attribute__((unused)) static int64_t real_ns(void)
{
    return (int64_t)((double)stamp() * stamp_ns());
}
#endif

static inline struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

__attribute__((noreturn, unused)) static void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

// pthread functions return the error instead of setting errno.
__attribute__((unused)) static void check(int error, const char *what)
{
    if (error) {
        errno = error;
        die(what);
    }
}

__attribute__((unused)) static long number(int argc, char **argv, int index)
{
    char *end;
    if (index >= argc) {
        fprintf(stderr, "bench: argument %d is missing\n", index);
        exit(2);
    }
    long value = strtol(argv[index], &end, 10);
    if (*end || value <= 0) {
        fprintf(stderr, "bench: '%s' is not a positive number\n", argv[index]);
        exit(2);
    }
    return value;
}

// The only line a program prints: real nanoseconds an operation.
__attribute__((unused)) static void report(int64_t total_ns, int64_t operations)
{
    printf("%.2f\n", (double)total_ns / (double)operations);
    fflush(stdout);
}

#endif
