/* Threads, or processes with an argument, that are due at one instant. Each says its letter when it has computed: the one
 * whose number is GUEST_COMPUTES for some hundred milliseconds, the others not at all. Natively whoever computes is late. */
#include "guest.h"

enum { MANY = 4 };

static struct timespec instant;
static int computes;

static void *due(void *number)
{
	long me = (long)number;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &instant, NULL);
	if (me == computes)
		for (volatile unsigned i = 0; i < 300 * 1000 * 1000; i++)
			;
	say("%c", (char)('A' + me));
	return NULL;
}

int main(int n, char **args)
{
	(void)args;
	computes = atoi(getenv("GUEST_COMPUTES"));
	start();
	instant = in_units(CLOCK_MONOTONIC, 2);
	pthread_t threads[MANY];
	pid_t children[MANY];
	for (long i = 0; i < MANY; i++)
		if (n > 1) {
			if ((children[i] = fork()) == 0) {
				due((void *)i);
				_exit(0);
			}
		} else {
			threads[i] = thread(due, (void *)i);
		}
	for (int i = 0; i < MANY; i++)
		if (n > 1)
			MUST(waitpid(children[i], NULL, 0) == children[i]);
		else
			join(threads[i]);
	return 0;
}
