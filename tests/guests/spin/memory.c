/* Loops on plain memory that end when a sleeping thread, or a signal, changes it; and two due at the same instant of whom
 * one waits for the other. */
#include "guest.h"

static volatile int done;
static volatile int arrived;

static void *sleeper(void *unused)
{
	nap(1.3);
	done = 1;
	return unused;
}

static struct timespec instant;

static void *meets(void *unused)
{
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &instant, NULL);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (arrived < 3)
		;
	return unused;
}

int main(void)
{
	start();
	pthread_t t = thread(sleeper, NULL);
	while (!done)
		;
	say("a flag: %s", in_time(1.3));
	join(t);

	start();
	instant = in_units(CLOCK_MONOTONIC, 1.3);
	pthread_t a = thread(meets, NULL), b = thread(meets, NULL), c = thread(meets, NULL);
	join(a);
	join(b);
	join(c);
	say("three that meet: %s", in_time(1.3));
	return 0;
}
