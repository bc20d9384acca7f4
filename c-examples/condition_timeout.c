/* A worker takes four hours for a job; whoever waits for it has a look every hour and a half.
 *
 * Promise: a timed wait for a condition ends at its deadline, not a nanosecond before, or when it is signalled.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool done;

static void *worker(void *unused)
{
	sleep(4 * 3600);
	pthread_mutex_lock(&mutex);
	done = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
	return unused;
}

int main(void)
{
	struct timespec start, until, now;
	pthread_t thread;
	clock_gettime(CLOCK_REALTIME, &start);
	until = start;
	if (pthread_create(&thread, NULL, worker, NULL) != 0)
		return 1;
	pthread_mutex_lock(&mutex);
	while (!done) {
		until.tv_sec += 5400;
		while (!done && pthread_cond_timedwait(&changed, &mutex, &until) != ETIMEDOUT)
			;
		clock_gettime(CLOCK_REALTIME, &now);
		bool early = now.tv_sec < until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec);
		printf("%s after %ld min, %s the deadline\n", done ? "done" : "not yet", (now.tv_sec - start.tv_sec) / 60,
		       early ? "before" : "not before");
	}
	pthread_mutex_unlock(&mutex);
	return pthread_join(thread, NULL);
}
