/* SIGEV_THREAD: a function in a new thread each time. */
#include "guest.h"
#include <semaphore.h>

static sem_t called;
static pthread_t first;

static void function(union sigval value)
{
	sigset_t mask;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	pthread_attr_t attr;
	size_t size = 0;
	int detached = 0;
	MUST(pthread_getattr_np(pthread_self(), &attr) == 0);
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_getdetachstate(&attr, &detached);
	pthread_attr_destroy(&attr);
	say("called with %d, another thread %d, SIGALRM blocked %d, small stack %d, detached %d", value.sival_int,
	    !pthread_equal(first, pthread_self()), sigismember(&mask, SIGALRM), size <= 512 << 10,
	    detached == PTHREAD_CREATE_DETACHED);
	sem_post(&called);
}

static void slow(union sigval value)
{
	nap(1.5);
	say("slow one %d is over", value.sival_int);
	sem_post(&called);
}

static timer_t make(void (*body)(union sigval), int value, pthread_attr_t *attr)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = value };
	event.sigev_notify_function = body;
	event.sigev_notify_attributes = attr;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	return timer;
}

static void set(timer_t timer, double value, double interval)
{
	struct itimerspec new = { as_timespec(units(interval)), as_timespec(units(value)) };
	MUST(timer_settime(timer, 0, &new, NULL) == 0);
}

static void await(void)
{
	while (sem_wait(&called) != 0)
		;
}

int main(void)
{
	first = pthread_self();
	MUST(sem_init(&called, 0, 0) == 0);
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGALRM);
	MUST(pthread_sigmask(SIG_BLOCK, &only, NULL) == 0);

	timer_t timer = make(function, 1, NULL);
	start();
	set(timer, 1.5, 0);
	await();
	say("after %d", after(1.5));
	start();
	set(timer, 1.5, 1);
	for (int i = 0; i < 3; i++)
		await();
	say("three after %d", after(3.5));
	struct itimerspec now;
	MUST(timer_gettime(timer, &now) == 0);
	say("left %d, overrun %d", ns_of(now.it_value) > 0 && ns_of(now.it_value) <= units(1), timer_getoverrun(timer));
	MUST(timer_delete(timer) == 0);
	nap(2);
	say("deleted: nothing more %d", sem_trywait(&called) != 0);

	pthread_attr_t attr;
	MUST(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 256 << 10) == 0);
	timer_t small = make(function, 2, &attr);
	pthread_attr_destroy(&attr);
	set(small, 1, 0);
	await();

	/* The callers wait themselves, beside each other. */
	timer_t two[] = { make(slow, 3, NULL), make(slow, 4, NULL) };
	start();
	set(two[0], 1.2, 0);
	set(two[1], 1.7, 0);
	await();
	await();
	say("both after %d", after(3.2));

	/* In a child there is nobody who would call: it makes its own. */
	pid_t child = fork();
	if (child == 0) {
		first = pthread_self();
		timer_t own = make(function, 5, NULL);
		set(own, 1, 0);
		await();
		_exit(0);
	}
	say("child %d", reap(child));
	return 0;
}
