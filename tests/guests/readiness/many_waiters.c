/* Forty threads in poll with different time-outs, half of them on a pipe that gets data meanwhile; two on the same descriptor. */
#include "guest.h"

enum { WAITERS = 40 };
static int pipes[2], quiet[2];
static int timed_out[5], ready[5];

static void *body(void *argument)
{
	int n = (int)(intptr_t)argument % 4 + 1;
	bool served = (intptr_t)argument >= WAITERS / 2;
	struct pollfd p = { .fd = served ? pipes[0] : quiet[0], .events = POLLIN };
	start();
	int result = poll(&p, 1, ms(n));
	if (result == 0)
		after(n);
	__atomic_add_fetch(result == 0 ? &timed_out[n] : &ready[n], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	MUST(pipe(pipes) == 0 && pipe(quiet) == 0);
	pthread_t threads[WAITERS];
	start();
	for (int i = 0; i < WAITERS; i++)
		threads[i] = thread(body, (void *)(intptr_t)i);
	nap(2.6);
	MUST(write(pipes[1], "x", 1) == 1);
	for (int i = 0; i < WAITERS; i++)
		join(threads[i]);
	say("all after %d", after(4));
	for (int n = 1; n <= 4; n++)
		say("%d units: %d timed out, %d ready", n, timed_out[n], ready[n]);
	return 0;
}
