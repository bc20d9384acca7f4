/* A loop that gives the processor away until a sleeping thread has done something, and after it a wait for what another one
 * does much later. */
#include "guest.h"
#include <sched.h>

static volatile int done;
static int ends[2];

static void *sleeper(void *unused)
{
	nap(1.3);
	done = 1;
	return unused;
}

static void *writer(void *unused)
{
	nap(3.3);
	MUST(write(ends[1], "x", 1) == 1);
	return unused;
}

int main(void)
{
	MUST(pipe(ends) == 0);
	start();
	pthread_t a = thread(sleeper, NULL), b = thread(writer, NULL);
	while (!done)
		sched_yield();
	say("a flag: after %d", after(1.3));
	char c;
	MUST(read(ends[0], &c, 1) == 1);
	say("a byte: after %d", after(3.3));
	join(a);
	join(b);
	return 0;
}
