/* A handler ends a sleep with EINTR and the remaining time, SA_RESTART or not (signal(7)); a blocked or ignored signal does not. */
#include "guest.h"

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

static pthread_t sleeper;

static void *sender(void *number)
{
	nap(1.3);
	MUST(pthread_kill(sleeper, (int)(intptr_t)number) == 0);
	return NULL;
}

static void relative(const char *what, int number, double asked)
{
	GUARDED(struct timespec) left;
	guard(&left);
	handled = 0;
	start();
	pthread_t other = thread(sender, (void *)(intptr_t)number);
	struct timespec t = as_timespec(units(asked));
	const char *result = RESULT(nanosleep(&t, &left.value));
	int64_t elapsed = now_on(CLOCK_MONOTONIC) - started;
	say("%s: %s after %d, handled %d", what, result, after(1), handled);
	if (strcmp(result, "EINTR") == 0) {
		say("    left: %lld, guards %d", (long long)(ns_of(left.value) / units(1)), guard_ok(&left));
		/* Slept and left together are what was asked: never less, and not much more. */
		if (elapsed + ns_of(left.value) < units(asked))
			say("FAIL %lld ns are missing", (long long)(units(asked) - elapsed - ns_of(left.value)));
	} else {
		say("    untouched: %d", guard_untouched(&left));
	}
	join(other);
}

int main(void)
{
	sleeper = pthread_self();
	on_signal(SIGUSR1, handler, 0);
	relative("plain handler", SIGUSR1, 3.8);
	on_signal(SIGUSR1, handler, SA_RESTART);
	relative("SA_RESTART", SIGUSR1, 3.8);
	signal(SIGUSR1, SIG_IGN);
	relative("ignored", SIGUSR1, 2.5);
	relative("ignored by default", SIGCHLD, 2.5);

	on_signal(SIGUSR1, handler, 0);
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(pthread_sigmask(SIG_BLOCK, &set, &before) == 0);
	relative("blocked", SIGUSR1, 2.5);
	MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	say("unblocked: handled %d", handled);

	/* What remains of a relative clock_nanosleep is a time to sleep again; an absolute one just keeps its deadline. */
	for (int absolute = 0; absolute < 2; absolute++) {
		GUARDED(struct timespec) left;
		guard(&left);
		start();
		pthread_t other = thread(sender, (void *)(intptr_t)SIGUSR1);
		struct timespec t = absolute ? in_units(CLOCK_MONOTONIC, 3.8) : as_timespec(units(3.8));
		errno = 0;
		int error = clock_nanosleep(CLOCK_MONOTONIC, absolute ? TIMER_ABSTIME : 0, &t, &left.value);
		say("clock_nanosleep %d: %s after %d, errno %s, untouched %d", absolute, name(error), after(1), name(errno),
		    guard_untouched(&left));
		if (!absolute)
			t = left.value;
		error = clock_nanosleep(CLOCK_MONOTONIC, absolute ? TIMER_ABSTIME : 0, &t, NULL);
		say("and again: %s after %d", name(error), after(3.8));
		join(other);
	}

	/* A time beyond what the kernel's clock can hold is no error, and can be interrupted like any other. */
	pthread_t other = thread(sender, (void *)(intptr_t)SIGUSR1);
	struct timespec forever = { INT64_MAX, 999999999 };
	REPORT(1, "forever", nanosleep(&forever, NULL));
	join(other);
	return 0;
}
