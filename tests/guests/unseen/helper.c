/* The helper thread that libc has for SIGEV_THREAD: it waits for a signal where no hook sees it, and starts threads that no hook
 * has made. (The timer is libc's own, as a library's handle has it; its short time is real.) */
#include "guest.h"
#include <dlfcn.h>
#include <semaphore.h>

static sem_t called, over;

static void function(union sigval value)
{
	sem_post(&called);
	nap(1.3);
	say("called with %d", value.sival_int);
	sem_post(&over);
}

static void await(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

int main(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	MUST(libc);
	int (*create)(clockid_t, struct sigevent *, timer_t *) = dlsym(libc, "timer_create");
	int (*settime)(timer_t, int, const struct itimerspec *, struct itimerspec *) = dlsym(libc, "timer_settime");
	int (*delete)(timer_t) = dlsym(libc, "timer_delete");
	MUST(create && settime && delete);
	MUST(sem_init(&called, 0, 0) == 0 && sem_init(&over, 0, 0) == 0);
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 7 };
	event.sigev_notify_function = function;
	MUST(create(CLOCK_MONOTONIC, &event, &timer) == 0);
	start();
	nap(2.3);
	say("a sleep beside the helper: after %d", after(2.3));
	for (int round = 0; round < 2; round++) {
		struct itimerspec soon = { .it_value = { 0, 1000000 } };
		MUST(settime(timer, 0, &soon, NULL) == 0);
		await(&called);
		start();
		await(&over);
		say("what it calls: after %d", after(1.2));
	}
	MUST(delete(timer) == 0);
	start();
	nap(1.3);
	say("once more: after %d", after(1.3));
	return 0;
}
