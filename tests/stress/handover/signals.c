// Hand-overs by signals: SIGUSR2 goes from A to B, SIGUSR1 back. Both are blocked everywhere (main does that), so
// sigwait finds them pending whenever they come; where a handler is wanted, side B lets SIGUSR2 through.
#include "handover.h"
#include <signal.h>

static const int signal_of[2] = {SIGUSR2, SIGUSR1};

static void send_to(int side, int number)
{
    if (mode == THREADS)
        check(pthread_kill(threads[side], number), "pthread_kill");
    else if (kill(pids[side], number) != 0)
        die("kill");
}

static void signal_give(int direction)
{
    send_to(!direction, signal_of[direction]);
}

static sigset_t only(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

static void signal_take(int direction)
{
    int got;
    sigset_t set = only(signal_of[direction]);
    check(sigwait(&set, &got), "sigwait");
}

static void signal_take_timed(int direction)
{
    sigset_t set = only(signal_of[direction]);
    struct timespec timeout = to_timespec(HALF_AN_HOUR);
    while (sigtimedwait(&set, NULL, &timeout) < 0)
        if (errno == EAGAIN)
            finding(!direction, "sigtimedwait timed out");
}

// The reply is made in the handler, so it does not matter whether the signal comes before, in or after the call that
// side B sits in: no wake-up can get lost.
static void reply(int number)
{
    (void)number;
    int saved = errno;
    handed_over(SIDE_B);
    send_to(SIDE_A, SIGUSR1);
    errno = saved;
}

static void handler_setup(void)
{
    struct sigaction action = {.sa_handler = reply};
    sigaction(SIGUSR2, &action, NULL);
}

static void no_setup(void) {}

static void ask_many(long count)
{
    for (long i = 0; i < count / 2; i++) {
        send_to(SIDE_B, SIGUSR2);
        signal_take(1);
        handed_over(SIDE_A);
    }
}

static void let_through(void)
{
    sigset_t set = only(SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void pause_loop(int side, long count)
{
    if (side == SIDE_A) {
        ask_many(count);
        return;
    }
    let_through();
    for (;;)
        pause();
}

static void suspend_loop(int side, long count)
{
    if (side == SIDE_A) {
        ask_many(count);
        return;
    }
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigdelset(&mask, SIGUSR2);
    for (;;)
        sigsuspend(&mask);
}

// A sleep that a signal ends says how much was left. No time passes here in frozen mode, so all of it.
static void sleep_loop(int side, long count)
{
    if (side == SIDE_A) {
        ask_many(count);
        return;
    }
    let_through();
    for (;;) {
        struct timespec length = to_timespec(HALF_AN_HOUR), left = {0, 0};
        if (nanosleep(&length, &left) == 0)
            finding(side, "a sleep of half an hour ended by itself");
        if (left.tv_sec * SECOND + left.tv_nsec < HALF_AN_HOUR / 2)
            finding(side, "a sleep said that most of it was over");
    }
}

const struct kind signal_kinds[] = {
    {.name = "signal", .setup = no_setup, .give = signal_give, .take = signal_take},
    {.name = "signal-timed", .setup = no_setup, .give = signal_give, .take = signal_take_timed},
    {.name = "signal-pause", .endless_b = true, .setup = handler_setup, .loop = pause_loop},
    {.name = "signal-suspend", .endless_b = true, .setup = handler_setup, .loop = suspend_loop},
    {.name = "signal-sleep", .endless_b = true, .setup = handler_setup, .loop = sleep_loop},
    {.name = NULL},
};
