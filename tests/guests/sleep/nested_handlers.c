/* Sleeping in a handler that interrupted a sleep, and in a handler that interrupted that one. */
#include "guest.h"

static pthread_t sleeper;

static void inner(int number)
{
	(void)number;
	struct timespec t = as_timespec(units(2));
	say("inner handler: sleeps");
	say("inner handler: %s", RESULT(nanosleep(&t, NULL)));
}

static void outer(int number)
{
	(void)number;
	struct timespec t = as_timespec(units(9.5)), left;
	say("outer handler: sleeps");
	const char *result = RESULT(nanosleep(&t, &left));
	say("outer handler: %s, left %lld", result, (long long)(ns_of(left) / units(1)));
	say("outer handler: the rest: %s", RESULT(nanosleep(&left, NULL)));
	/* The handler's errno must not show in what it interrupted. */
	errno = ENOTTY;
}

static void *sender(void *unused)
{
	nap(0.8);
	pthread_kill(sleeper, SIGUSR1);
	nap(2);
	pthread_kill(sleeper, SIGUSR2);
	return unused;
}

int main(void)
{
	sleeper = pthread_self();
	on_signal(SIGUSR1, outer, 0);
	on_signal(SIGUSR2, inner, SA_RESTART);
	start();
	pthread_t other = thread(sender, NULL);
	struct timespec t = as_timespec(units(5.3)), left;
	const char *result = RESULT(nanosleep(&t, &left));
	/* 0.8 until the signal, 2 until the second, 2 in the inner handler, 7.5 of the outer one's 9.5. */
	say("main: %s after %d, left %lld", result, after(12), (long long)(ns_of(left) / units(1)));
	join(other);
	return 0;
}
