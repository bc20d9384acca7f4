/* Several waiters of one semaphore: each post lets one go; a waiter that gives up takes no post with it. */
#include "guest.h"
#include <semaphore.h>

enum { WAITERS = 6 };
static sem_t sem;
static int got, gave_up;

static void *body(void *argument)
{
	int patient = (intptr_t)argument % 2;
	struct timespec deadline = in_units(CLOCK_REALTIME, patient ? 100 : 2.5);
	if (sem_timedwait(&sem, &deadline) == 0)
		__atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
	else if (errno == ETIMEDOUT)
		__atomic_add_fetch(&gave_up, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	MUST(sem_init(&sem, 0, 0) == 0);
	pthread_t threads[WAITERS];
	start();
	for (int i = 0; i < WAITERS; i++)
		threads[i] = thread(body, (void *)(intptr_t)i);
	nap(1);
	say("got %d, gave up %d", got, gave_up);
	nap(3);
	say("got %d, gave up %d", got, gave_up);
	for (int i = 0; i < 3; i++) {
		sem_post(&sem);
		nap(1);
		say("got %d, gave up %d", got, gave_up);
	}
	sem_post(&sem);
	for (int i = 0; i < WAITERS; i++)
		join(threads[i]);
	int value;
	sem_getvalue(&sem, &value);
	say("value %d after %d", value, after(7));
	return 0;
}
