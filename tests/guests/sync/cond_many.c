/* Many waiters with different deadlines on one condition: those whose time comes leave, the rest is woken by a broadcast. */
#include "guest.h"

enum { WAITERS = 40 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static bool over;
static int timed_out[5], signalled[5];

static void *body(void *argument)
{
	int n = (int)(intptr_t)argument % 4 + 1, error = 0;
	pthread_mutex_lock(&lock);
	start();
	struct timespec deadline = in_units(CLOCK_REALTIME, n);
	while (!over && error == 0)
		error = pthread_cond_timedwait(&cond, &lock, &deadline);
	if (error == ETIMEDOUT) {
		after(n);
		timed_out[n]++;
	} else {
		signalled[n]++;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t threads[WAITERS];
	start();
	for (int i = 0; i < WAITERS; i++)
		threads[i] = thread(body, (void *)(intptr_t)i);
	nap(2.6);
	pthread_mutex_lock(&lock);
	over = true;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < WAITERS; i++)
		join(threads[i]);
	say("all after %d", after(2.6));
	for (int n = 1; n <= 4; n++)
		say("%d units: %d timed out, %d signalled", n, timed_out[n], signalled[n]);
	return 0;
}
