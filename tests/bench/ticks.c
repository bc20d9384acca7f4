// ticks KIND COUNT UNIT_NS: COUNT ticks of a timer, UNIT_NS apart; real ns a tick.
//   timerfd   read one after the other
//   posix     timer_create with a signal, taken by sigwaitinfo
//   itimer    setitimer, a handler and sigsuspend
//   armed     COUNT timers of timer_create, armed at first and due one after the other
#include "bench.h"
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static timer_t make(int number)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        die("timer_create");
    return timer;
}

static void posix(long count, int64_t unit, const sigset_t *set)
{
    timer_t timer = make(SIGRTMIN);
    struct itimerspec every = {to_timespec(unit), to_timespec(unit)};
    timer_settime(timer, 0, &every, NULL);
    siginfo_t info;
    for (long n = 0; n < count; n += 1 + info.si_overrun)
        if (sigwaitinfo(set, &info) != SIGRTMIN)
            die("sigwaitinfo");
    timer_delete(timer);
}

static void armed(long count, int64_t unit, const sigset_t *set)
{
    for (long i = 0; i < count; i++) {
        struct itimerspec once = {{0, 0}, to_timespec(unit * (i + 1000))};
        if (timer_settime(make(SIGRTMIN), 0, &once, NULL) != 0)
            die("timer_settime");
    }
    siginfo_t info;
    for (long n = 0; n < count; n++)
        if (sigwaitinfo(set, &info) != SIGRTMIN)
            die("sigwaitinfo");
}

static void timerfd(long count, int64_t unit)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec every = {to_timespec(unit), to_timespec(unit)};
    timerfd_settime(fd, 0, &every, NULL);
    uint64_t expired;
    for (uint64_t n = 0; n < (uint64_t)count; n += expired)
        if (read(fd, &expired, sizeof expired) != sizeof expired)
            die("read");
}

static void itimer(long count, int64_t unit)
{
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGALRM, on_tick);
    struct itimerval every = {{unit / 1000000000, unit % 1000000000 / 1000}, {unit / 1000000000, unit % 1000000000 / 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
    while (ticks < count)
        sigsuspend(&before);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    long count = number(argc, argv, 2), unit = number(argc, argv, 3);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int64_t start = real_ns();
    if (strcmp(kind, "timerfd") == 0)
        timerfd(count, unit);
    else if (strcmp(kind, "posix") == 0)
        posix(count, unit, &set);
    else if (strcmp(kind, "itimer") == 0)
        itimer(count, unit);
    else if (strcmp(kind, "armed") == 0)
        armed(count, unit, &set);
    else
        die(kind);
    report(real_ns() - start, count);
    return 0;
}
