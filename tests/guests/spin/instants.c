/* "Is there something? Is it later than when I began?", as many libraries wait, with time-outs of zero too. Meanwhile another
 * thread computes, so nobody rests. */
#include "guest.h"

static volatile int over;

static void *computes(void *unused)
{
	while (!over)
		;
	return unused;
}

static double seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Waits for no time at all, by a strict comparison. */
static void wait_for_nothing(clockid_t clock, int fd)
{
	struct pollfd set = { fd, POLLIN, 0 };
	double deadline = seconds(clock);
	while (poll(&set, 1, 0) == 0 && deadline - seconds(clock) >= 0)
		;
}

int main(void)
{
	int ends[2];
	MUST(pipe(ends) == 0);
	pthread_t t = thread(computes, NULL);
	start();
	for (int i = 0; i < 100; i++)
		wait_for_nothing(i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, ends[0]);
	say("a hundred of them: after %d", after(0));
	over = 1;
	join(t);
	return 0;
}
