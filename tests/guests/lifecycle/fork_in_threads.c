/* fork in a process whose other threads sleep, wait and hold locks: the child has one thread, and it works. */
#include "guest.h"
#include <semaphore.h>

static sem_t never;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static int prepared, parents, children;

static void *sleeps(void *unused)
{
	nap(6);
	return unused;
}

static void *waits(void *unused)
{
	sem_wait(&never);
	return unused;
}

static void *locks(void *unused)
{
	pthread_mutex_lock(&held);
	nap(6);
	pthread_mutex_unlock(&held);
	return unused;
}

static void prepare(void)
{
	prepared++;
}

static void in_parent(void)
{
	parents++;
}

static void in_child(void)
{
	children++;
	/* Handlers may wait as well, and this one runs before the child is anything else. */
	nap(1);
}

static void *short_nap(void *unused)
{
	nap(1);
	return unused;
}

static void *forks(void *unused)
{
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		/* 1 in the handler, 1 here, 1 in a new thread. */
		nap(1);
		join(thread(short_nap, NULL));
		struct timespec deadline = in_units(CLOCK_REALTIME, 1);
		int error = pthread_mutex_timedlock(&held, &deadline);
		MUST(sem_timedwait(&never, &deadline) < 0 && errno == ETIMEDOUT);
		say("child: the lock of a thread that is not here: %s after %d, handlers %d %d %d", name(error), after(4), prepared,
		    parents, children);
		_exit(5);
	}
	int code = reap(child);
	say("parent: child %d after %d, handlers %d %d %d", code, after(4), prepared, parents, children);
	return unused;
}

int main(void)
{
	MUST(sem_init(&never, 0, 0) == 0);
	start();
	pthread_t others[3] = { thread(sleeps, NULL), thread(waits, NULL), thread(locks, NULL) };
	nap(0.5);
	MUST(pthread_atfork(prepare, in_parent, in_child) == 0);
	join(thread(forks, NULL));
	sem_post(&never);
	for (int i = 0; i < 3; i++)
		join(others[i]);
	say("after %d", after(6));
	return 0;
}
