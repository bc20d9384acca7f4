/* pthread_create in all its forms: the smallest stacks, detached threads, threads that make threads, a thousand one after the other. */
#include "guest.h"
#include <limits.h>
#include <semaphore.h>

static sem_t done;

static void *naps(void *n)
{
	start();
	nap((intptr_t)n);
	after((intptr_t)n);
	return n;
}

static void *detached(void *n)
{
	nap((intptr_t)n);
	sem_post(&done);
	return NULL;
}

static void *parent(void *depth)
{
	intptr_t n = (intptr_t)depth;
	nap(0.5);
	if (n > 0)
		join(thread(parent, (void *)(n - 1)));
	return NULL;
}

static void *nothing(void *argument)
{
	return argument;
}

static void *on_small_stack(void *unused)
{
	/* What waits in here must do with the little there is. */
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec deadline = in_units(CLOCK_REALTIME, 1);
	pthread_mutex_lock(&mutex);
	MUST(pthread_cond_timedwait(&cond, &mutex, &deadline) == ETIMEDOUT);
	poll(NULL, 0, ms(1));
	nap(1);
	return unused;
}

int main(void)
{
	pthread_t t;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	MUST(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
	start();
	MUST(pthread_create(&t, &attributes, on_small_stack, NULL) == 0);
	join(t);
	say("smallest stack: after %d", after(3));
	size_t size = 64 * 1024;
	void *stack = aligned_alloc(4096, size);
	MUST(pthread_attr_setstack(&attributes, stack, size) == 0);
	start();
	MUST(pthread_create(&t, &attributes, naps, (void *)2) == 0);
	say("stack of my own: result %d after %d", (int)(intptr_t)join(t), after(0));
	pthread_attr_destroy(&attributes);

	MUST(sem_init(&done, 0, 0) == 0);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	start();
	for (intptr_t i = 1; i <= 3; i++)
		MUST(pthread_create(&t, &attributes, detached, (void *)i) == 0);
	for (int i = 0; i < 3; i++)
		sem_wait(&done);
	say("detached: after %d", after(3));
	t = thread(detached, (void *)1);
	say("detach: %s", name(pthread_detach(t)));
	sem_wait(&done);

	start();
	join(thread(parent, (void *)5));
	say("nested: after %d", after(3));
	start();
	for (int i = 0; i < 1000; i++)
		MUST(join(thread(nothing, &t)) == &t);
	for (int i = 0; i < 100; i++) {
		t = thread(naps, (void *)0);
		join(t);
	}
	say("many, one after the other");
	return 0;
}
