/* A handler that calls what may wait ends a sleep: from then on the thread runs, and time stands still for those who wait. */
#include "guest.h"

enum { ROUNDS = 5 };

static pthread_t sleeper;
static volatile bool over;

static void handler(int number)
{
	(void)number;
	poll(NULL, 0, 0);
}

static void *interrupts(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		nap(0.5);
		MUST(pthread_kill(sleeper, SIGUSR1) == 0);
		nap(0.5);
	}
	return unused;
}

static void *naps(void *unused)
{
	while (!over)
		nap(0.3);
	return unused;
}

static void compute(void)
{
	for (volatile int i = 0; i < 3000000; i++)
		;
}

int main(void)
{
	on_signal(SIGUSR1, handler, 0);
	sleeper = pthread_self();
	pthread_t others[] = { thread(interrupts, NULL), thread(naps, NULL) };
	struct timespec long_time = as_timespec(units(90));
	int interrupted = 0, still = 0;
	for (int i = 0; i < ROUNDS; i++) {
		interrupted += nanosleep(&long_time, NULL) != 0 && errno == EINTR;
		start();
		compute();
		still += after(0) == 0;
	}
	say("interrupted %d, and no unit has passed since %d", interrupted, still);
	over = true;
	for (int i = 0; i < 2; i++)
		join(others[i]);
	return 0;
}
