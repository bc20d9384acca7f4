/* Computations that look at the clock, lock and find nothing now and then, beside a thread that sleeps: no loop that waits
 * for it, so the time that passes is that of the computation. */
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

/* Some microseconds. */
static unsigned work(unsigned x)
{
	for (int i = 0; i < 4000; i++)
		x = x * 1103515245 + 12345;
	return x;
}

int main(void)
{
	sem_init(&end, 0, 0);
	start();
	pthread_t t = thread(sleeper, NULL);
	unsigned x = 1;
	struct timespec now;
	for (int i = 0; i < 20000; i++) {
		x = work(x);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	int pipes[2];
	MUST(pipe2(pipes, O_NONBLOCK) == 0);
	char c;
	for (int i = 0; i < 500; i++) {
		for (int k = 0; k < 20; k++)
			x = work(x);
		MUST(read(pipes[0], &c, 1) < 0);
	}
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	for (int i = 0; i < 3000000; i++) {
		pthread_mutex_lock(&mutex);
		x++;
		pthread_mutex_unlock(&mutex);
	}
	int64_t took = now_on(CLOCK_MONOTONIC) - started;
	say("%s, %d", took < 20 * units(1) ? "before the sleeper" : "FAIL after the sleeper", x == 0);
	sem_post(&end);
	join(t);
	return 0;
}
