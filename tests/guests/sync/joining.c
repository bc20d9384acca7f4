/* pthread_join and its timed forms on threads that sleep. */
#include "guest.h"

static void *body(void *argument)
{
	nap((double)(intptr_t)argument + 0.3);
	return argument;
}

static void *exits(void *argument)
{
	nap((double)(intptr_t)argument + 0.3);
	pthread_exit((void *)42);
}

int main(void)
{
	GUARDED(void *) result;
	pthread_t t = thread(body, (void *)2);
	guard(&result);
	REPORT_ERROR(2, "join", pthread_join(t, &result.value));
	say("result %d, guards %d", (int)(intptr_t)result.value, guard_ok(&result));

	t = thread(exits, (void *)1);
	REPORT_ERROR(1, "join after pthread_exit", pthread_join(t, &result.value));
	say("result %d", (int)(intptr_t)result.value);

	t = thread(body, (void *)4);
	guard(&result);
	say("tryjoin: %s", name(pthread_tryjoin_np(t, &result.value)));
	struct timespec deadline;
	REPORT_ERROR(1, "timedjoin", (deadline = in_units(CLOCK_REALTIME, 1), pthread_timedjoin_np(t, &result.value, &deadline)));
	REPORT_ERROR(1, "clockjoin", (deadline = in_units(CLOCK_MONOTONIC, 1), pthread_clockjoin_np(t, &result.value, CLOCK_MONOTONIC, &deadline)));
	REPORT_ERROR(0, "past", (deadline = in_units(CLOCK_REALTIME, -1), pthread_timedjoin_np(t, &result.value, &deadline)));
	say("untouched %d", guard_untouched(&result));
	deadline = in_units(CLOCK_BOOTTIME, 1);
	say("another clock: %s", name(pthread_clockjoin_np(t, &result.value, CLOCK_BOOTTIME, &deadline)));
	REPORT_ERROR(1, "timedjoin, it ends", (deadline = in_units(CLOCK_REALTIME, 50), pthread_timedjoin_np(t, &result.value, &deadline)));
	say("result %d", (int)(intptr_t)result.value);

	t = thread(body, (void *)1);
	nap(2);
	say("tryjoin: %s", name(pthread_tryjoin_np(t, NULL)));
	t = thread(body, (void *)1);
	REPORT_ERROR(1, "clockjoin, it ends", (deadline = in_units(CLOCK_MONOTONIC, 50), pthread_clockjoin_np(t, NULL, CLOCK_MONOTONIC, &deadline)));

/* For musl these are errors of the program that it does not look for. */
#ifndef MUSL_H
	say("join myself: %s", name(pthread_join(pthread_self(), NULL)));
	say("detach: %s", name(pthread_detach(pthread_self())));
	say("join a detached thread: %s", name(pthread_join(pthread_self(), NULL)));
#endif
	return 0;
}
