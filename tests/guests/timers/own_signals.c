/* A program of one thread that waits for the signals of its own timers, and what else may end such a wait. */
#include "guest.h"
#include <setjmp.h>

static timer_t timers[2];
static volatile sig_atomic_t got;
static sigjmp_buf back;
static sigset_t in_handler;

static void on_tick(int number)
{
	got = number;
	sigprocmask(SIG_BLOCK, NULL, &in_handler);
}

static void jumps(int number)
{
	siglongjmp(back, number);
}

static void arm(int which, double first, double every)
{
	struct itimerspec t = { as_timespec(units(every)), as_timespec(units(first)) };
	MUST(timer_settime(timers[which], 0, &t, NULL) == 0);
}

static sigset_t set_of(int one, int other)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, one);
	if (other)
		sigaddset(&set, other);
	return set;
}

/* Which of the two signals are in a set. */
static int two_of(const sigset_t *set)
{
	return sigismember(set, SIGUSR1) + 2 * sigismember(set, SIGUSR2);
}

static int blocked(void)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	return two_of(&now);
}

int main(void)
{
	for (int i = 0; i < 2; i++) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = i ? SIGUSR2 : SIGUSR1 };
		event.sigev_value.sival_int = 7 + i;
		MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0);
		on_signal(event.sigev_signo, on_tick, 0);
	}
	sigset_t both = set_of(SIGUSR1, SIGUSR2), first = set_of(SIGUSR1, 0), none;
	sigemptyset(&none);
	siginfo_t info;

	sigprocmask(SIG_BLOCK, &both, NULL);
	start();
	arm(0, 1, 1);
	arm(1, 2.5, 0);
	for (int i = 0; i < 4; i++) {
		int number = sigwaitinfo(&both, &info);
		int elapsed = after(i == 3 ? 3 : i < 2 ? i + 1 : 2);
		say("taken: %d after %d, code %d, value %d, overrun %d", number == SIGUSR2 ? 2 : 1, elapsed,
		    info.si_code == SI_TIMER, info.si_value.sival_int, info.si_overrun);
	}
	arm(0, 2, 0);
	raise(SIGUSR2);
	REPORT(0, "one that is there already", sigwaitinfo(&both, &info));
	raise(SIGUSR2);
	REPORT(0, "and for sigsuspend", sigsuspend(&none));
	say("which: %d", got == SIGUSR2);

	REPORT(3, "not the one it blocks", (arm(1, 3, 0), sigsuspend(&first)));
	say("which: %d, in its handler %d, afterwards %d", got == SIGUSR2, two_of(&in_handler), blocked());
	REPORT(0, "the other one then", sigsuspend(&none));
	say("which: %d, in its handler %d, afterwards %d", got == SIGUSR1, two_of(&in_handler), blocked());

	sigprocmask(SIG_UNBLOCK, &both, NULL);
	REPORT(1, "pause", (arm(0, 1, 0), pause()));
	say("which: %d, in its handler %d, afterwards %d", got == SIGUSR1, two_of(&in_handler), blocked());
	on_signal(SIGUSR1, jumps, 0);
	start();
	arm(0, 1, 0);
	if (sigsetjmp(back, 1) == 0)
		pause();
	say("out of it: after %d, afterwards %d", after(1), blocked());
	signal(SIGUSR1, SIG_IGN);
	REPORT(2, "an ignored one", (arm(0, 1, 0), arm(1, 2, 0), pause()));

	if (fork() == 0) {
		nap(1.3);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	arm(1, 4, 0);
	REPORT(1, "a child's first", pause());
	pid_t child = fork();
	if (child == 0) {
		signal(SIGUSR1, SIG_DFL);
		MUST(timer_create(CLOCK_MONOTONIC, NULL, &timers[0]) == 0);
		arm(0, 1, 0);
		pause();
		_exit(0);
	}
	int status = 0;
	while (waitpid(child, &status, 0) != child)
		;
	say("its own end: %d", WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	return 0;
}
