/* A sleeper wakes in time while another thread computes; nobody has to be idle for that. */
#include "guest.h"

static volatile bool stop;

static void *compute(void *unused)
{
	/* Reads no clock and makes no call, so nobody is told of anything meanwhile. */
	for (volatile uint64_t n = 0; !stop; n++)
		;
	return unused;
}

int main(void)
{
	pthread_t busy = thread(compute, NULL);
	for (int i = 1; i <= 3; i++) {
		start();
		nap(i);
		int64_t elapsed = now_on(CLOCK_MONOTONIC) - started;
		/* The processor is shared with whatever else runs, so late is only checked roughly. */
		say("slept %d: early %d, much too late %d", i, elapsed < units(i), elapsed > units(i + 20));
	}
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&held);
	start();
	struct timespec deadline = in_units(CLOCK_REALTIME, 1);
	const char *result = name(pthread_mutex_timedlock(&held, &deadline));
	say("timedlock: %s, early %d", result, now_on(CLOCK_MONOTONIC) - started < units(1));
	start();
	result = RESULT(poll(NULL, 0, unit_ms()));
	say("poll: %s, early %d", result, now_on(CLOCK_MONOTONIC) - started < units(1));
	stop = true;
	join(busy);
	return 0;
}
