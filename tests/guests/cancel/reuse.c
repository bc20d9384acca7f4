/* libc gives a pthread_t to the next thread as soon as the former one is joined: cancellations must find the right one. */
#include "guest.h"
#include <semaphore.h>

static pthread_t endless;
static sem_t token;
static volatile bool go;

static void *ends(void *unused)
{
	return unused;
}

static void *sleeps(void *unused)
{
	nap(99);
	return unused;
}

static void *cancels_itself(void *unused)
{
	pthread_cancel(pthread_self());
	nap(99);
	return unused;
}

static void *joins_later(void *unused)
{
	int state;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	nap(1);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	pthread_join(endless, NULL);
	return unused;
}

static void *takes(void *unused)
{
	while (!go)
		sched_yield();
	sem_wait(&token);
	return unused;
}

static void *sleeps_in_the_past(void *unused)
{
	struct timespec past = { 0, 0 };
	while (!go)
		sched_yield();
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
	return unused;
}

/* Cancelled before it comes to a wait that has nothing to wait for. */
static void ready(const char *what, void *(*body)(void *))
{
	go = false;
	pthread_t t = thread(body, NULL);
	pthread_cancel(t);
	go = true;
	say("%s: cancelled %d", what, join(t) == PTHREAD_CANCELED);
}

int main(void)
{
	endless = thread(sleeps, NULL);
	int cancelled = 0;
	start();
	for (int i = 0; i < 50; i++) {
		join(thread(ends, NULL));
		pthread_t t = thread(sleeps, NULL);
		pthread_cancel(t);
		cancelled += join(t) == PTHREAD_CANCELED;
		cancelled += join(thread(cancels_itself, NULL)) == PTHREAD_CANCELED;
	}
	say("at once: %d of 100", cancelled);
	start();
	pthread_t t = thread(joins_later, NULL);
	pthread_cancel(t);
	cancelled = join(t) == PTHREAD_CANCELED;
	say("a join: cancelled %d after %d", cancelled, after(1));
	MUST(sem_init(&token, 0, 1) == 0);
	ready("sem_wait", takes);
	ready("clock_nanosleep", sleeps_in_the_past);
	pthread_cancel(endless);
	say("joined: %d", join(endless) == PTHREAD_CANCELED);
	return 0;
}
