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
		say("slept %d: %s", i, in_time(i));
	}
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&held);
	start();
	struct timespec deadline = in_units(CLOCK_REALTIME, 1);
	const char *result = name(pthread_mutex_timedlock(&held, &deadline));
	say("timedlock: %s, %s", result, in_time(1));
	start();
	result = RESULT(poll(NULL, 0, unit_ms()));
	say("poll: %s, %s", result, in_time(1));
	stop = true;
	join(busy);
	return 0;
}
