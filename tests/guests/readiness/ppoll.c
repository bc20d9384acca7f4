/* ppoll(2): nanoseconds, bad times, a constant time-out, and a signal mask that is swapped together with the wait. */
#include "guest.h"

static volatile sig_atomic_t handled;
static pthread_t waiter;

static void handler(int number)
{
	(void)number;
	handled++;
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

int main(void)
{
	int pipes[2];
	MUST(pipe(pipes) == 0);
	struct pollfd p = { .fd = pipes[0], .events = POLLIN };
	struct timespec t = as_timespec(units(2) + 1), zero = { 0, 0 };
	REPORT(2, "two units and a nanosecond", ppoll(&p, 1, &t, NULL));
	say("time-out kept: %d", ns_of(t) == units(2) + 1);
	REPORT(0, "no time", ppoll(&p, 1, &zero, NULL));
	struct timespec bad[] = { { 0, 1000000000 }, { 0, -1 }, { -1, 0 } };
	for (int i = 0; i < 3; i++)
		REPORT(0, "bad time", ppoll(&p, 1, &bad[i], NULL));

	waiter = pthread_self();
	on_signal(SIGUSR1, handler, SA_RESTART);
	sigset_t usr1, none, all, now;
	sigemptyset(&none);
	sigfillset(&all);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);

	pthread_t other = thread(sender, NULL);
	REPORT(1, "interrupted", ppoll(&p, 1, NULL, NULL));
	say("handled %d", handled);
	join(other);

	MUST(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
	other = thread(sender, NULL);
	REPORT(2, "blocked outside", ppoll(&p, 1, &t, NULL));
	say("handled %d", handled);
	join(other);
	/* It is pending now: only the mask of the call lets it through, and at once. */
	REPORT(0, "let in by the mask", ppoll(&p, 1, NULL, &none));
	say("handled %d", handled);
	other = thread(sender, NULL);
	REPORT(1, "let in later", ppoll(&p, 1, NULL, &none));
	say("handled %d", handled);
	join(other);
	MUST(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	say("still blocked outside: %d", sigismember(&now, SIGUSR1));

	MUST(sigprocmask(SIG_UNBLOCK, &usr1, NULL) == 0);
	other = thread(sender, NULL);
	REPORT(2, "kept out by the mask", ppoll(&p, 1, &t, &all));
	say("handled %d", handled);
	join(other);

	/* When there is data and a signal, the data wins and the signal is handled all the same. */
	MUST(write(pipes[1], "x", 1) == 1);
	MUST(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
	raise(SIGUSR1);
	REPORT(0, "data", ppoll(&p, 1, NULL, NULL));
	say("handled %d", handled);
	return 0;
}
