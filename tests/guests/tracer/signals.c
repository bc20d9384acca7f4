/* Signals during the waits of a statically linked program: handlers end sleeps, stops and ignored signals do not. */
#include "guest.h"

static void nothing(int number)
{
	(void)number;
}

/* A child that does this after n units and again after as many more. */
static pid_t sends(double n, int first, int second)
{
	pid_t parent = getpid(), child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(n);
		kill(parent, first);
		nap(n);
		if (second != 0)
			kill(parent, second);
		_exit(0);
	}
	return child;
}

static void sleeps(const char *what, pid_t child, double asked)
{
	GUARDED(struct timespec) left;
	guard(&left);
	struct timespec wanted = as_timespec(units(8));
	start();
	const char *result = RESULT(nanosleep(&wanted, &left.value));
	int elapsed = after(asked);
	bool untouched = guard_untouched(&left);
	say("%s: %s after %d, rest %lld", what, result, elapsed,
		untouched ? -1 : (long long)((ns_of(left.value) + units(0.5)) / units(1)));
	reap(child);
}

int main(void)
{
	on_signal(SIGUSR1, nothing, SA_RESTART);
	on_signal(SIGUSR2, nothing, 0);
	sleeps("handler with SA_RESTART", sends(2.3, SIGUSR1, 0), 2);
	sleeps("handler", sends(2.3, SIGUSR2, 0), 2);
	sleeps("ignored", sends(1, SIGCHLD, SIGCHLD), 8);
	sleeps("stopped and continued", sends(2, SIGSTOP, SIGCONT), 8);
	sleeps("stopped beyond the end", sends(5.3, SIGSTOP, SIGCONT), 8);

	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(100);
		_exit(0);
	}
	start();
	nap(1);
	kill(child, SIGKILL);
	int code = reap(child);
	say("killed: %d after %d", code, after(1));
	return 0;
}
