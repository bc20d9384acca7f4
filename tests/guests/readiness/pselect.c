/* pselect(2): as select, but the time-out is constant and the signal mask is swapped together with the wait. */
#include "guest.h"
#include <sys/select.h>

static volatile sig_atomic_t handled;
static pthread_t waiter;
static int pipes[2];

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

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

int main(void)
{
	MUST(pipe(pipes) == 0);
	int n = pipes[0] + 1;
	fd_set in;
	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	struct timespec t = as_timespec(units(2) + 1), bad = { 0, 1000000000 }, negative = { -1, 0 };
	REPORT(2, "two units", pselect(n, &in, NULL, NULL, &t, NULL));
	say("time-out kept %d, set %d", ns_of(t) == units(2) + 1, FD_ISSET(pipes[0], &in) != 0);
	REPORT(0, "bad time", pselect(n, &in, NULL, NULL, &bad, NULL));
	REPORT(0, "negative time", pselect(n, &in, NULL, NULL, &negative, NULL));

	waiter = pthread_self();
	on_signal(SIGUSR1, handler, SA_RESTART);
	sigset_t usr1, none;
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	FD_SET(pipes[0], &in);
	pthread_t other = thread(sender, NULL);
	REPORT(1, "interrupted", pselect(n, &in, NULL, NULL, NULL, NULL));
	say("handled %d", handled);
	join(other);

	MUST(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
	other = thread(sender, NULL);
	REPORT(2, "blocked", pselect(n, &in, NULL, NULL, &t, NULL));
	say("handled %d", handled);
	join(other);
	FD_SET(pipes[0], &in);
	REPORT(0, "let in by the mask", pselect(n, &in, NULL, NULL, NULL, &none));
	say("handled %d", handled);

	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	other = thread(writer, NULL);
	REPORT(1, "data", pselect(n, &in, NULL, NULL, NULL, &none));
	say("set %d", FD_ISSET(pipes[0], &in) != 0);
	join(other);
	return 0;
}
