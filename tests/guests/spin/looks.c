/* Loops that look at the clock, or give the processor away, until a sleeping thread has done something. */
#include "guest.h"
#include <sched.h>
#include <threads.h>

static volatile int done;

static void *sleeper(void *unused)
{
	nap(1.3);
	done = 1;
	return unused;
}

#define UNTIL_DONE(what, look) \
	do { \
		start(); \
		done = 0; \
		pthread_t t = thread(sleeper, NULL); \
		while (!done) \
			look; \
		say(what ": after %d", after(1.3)); \
		join(t); \
	} while (0)

int main(void)
{
	struct timespec at;
	struct timeval v;
	UNTIL_DONE("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &at));
	UNTIL_DONE("gettimeofday", gettimeofday(&v, NULL));
	UNTIL_DONE("time", time(NULL));
	UNTIL_DONE("sched_yield", sched_yield());
	UNTIL_DONE("thrd_yield", thrd_yield());
	UNTIL_DONE("usleep of nothing", usleep(0));
	return 0;
}
