// What the stress programs share: the two clocks they compare, and shared memory that every process sees.
#ifndef FLUX_STRESS_H
#define FLUX_STRESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the raw clock below is written for x86-64"
#endif

#define SECOND 1000000000LL

// The session's clock, as any program reads it.
static inline int64_t virtual_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static inline long raw_syscall2(long number, long a, long b)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

// Real nanoseconds: an instruction of our own, which no hook of libc sees.
static inline int64_t real_ns(void)
{
    struct timespec now;
    raw_syscall2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

// Gives the core away without blocking and without a call the tool could see.
static inline void raw_yield(void)
{
    raw_syscall2(SYS_sched_yield, 0, 0);
}

static inline struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

// The program's exit statuses: 1 is a finding, 2 a call that should not have failed.
__attribute__((noreturn, unused)) static void die(const char *what)
{
    fprintf(stderr, "stress: %s: %s\n", what, strerror(errno));
    exit(2);
}

__attribute__((unused)) static void check(int error, const char *what)
{
    if (error) {
        errno = error;
        die(what);
    }
}

// Memory that stays the same one across fork.
__attribute__((unused)) static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

// Small, fast and the same everywhere: splitmix64.
__attribute__((unused)) static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

#endif
