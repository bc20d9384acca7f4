/* A thread that gives way a fixed number of times before it sleeps, as runtimes' schedulers do: it waits for no instant,
 * however long that takes on a busy machine. */
#include "guest.h"
#include <semaphore.h>

static sem_t end;

static void *sleeper(void *unused)
{
	struct timespec until = in_units(CLOCK_REALTIME, 20);
	while (sem_timedwait(&end, &until) != 0 && errno == EINTR)
		;
	return unused;
}

int main(void)
{
	sem_init(&end, 0, 0);
	start();
	pthread_t t = thread(sleeper, NULL);
	for (int i = 0; i < 2000; i++)
		sched_yield();
	int64_t took = now_on(CLOCK_MONOTONIC) - started;
	say("%s", took < 20 * units(1) ? "before the sleeper" : "FAIL after the sleeper");
	sem_post(&end);
	join(t);
	return 0;
}
