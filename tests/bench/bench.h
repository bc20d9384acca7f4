// What every benchmark program shares: a clock the tool cannot touch, and one number as output.
//
// The tool hooks libc's entry points and may overwrite the vDSO, so a program that wants to know how long it *really*
// took asks the kernel with an instruction of its own. (A session with --trace=all would see even that one; the
// benchmark does not use it.)
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

// Real nanoseconds, whatever the session's clock says.
static inline int64_t real_ns(void)
{
    struct timespec now;
    raw_syscall2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

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
