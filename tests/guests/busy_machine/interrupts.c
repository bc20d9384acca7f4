/* A signal to a thread that sleeps: it moves the clock just before it falls asleep, and gets the processor last of all then. */
#include "guest.h"
#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>

static sem_t turn;

static void handler(int signal)
{
	(void)signal;
}

static void *sleeper(void *unused)
{
	MUST(setpriority(PRIO_PROCESS, gettid(), 19) == 0);
	for (int i = 0; i < 10; i++) {
		MUST(sem_wait(&turn) == 0);
		struct timespec time = as_timespec(units(2));
		REPORT(0, "nanosleep", nanosleep(&time, &time));
	}
	return unused;
}

int main(void)
{
	cpu_set_t all, one;
	MUST(sched_getaffinity(0, sizeof all, &all) == 0);
	int first = 0;
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	MUST(sched_setaffinity(0, sizeof one, &one) == 0);
	on_signal(SIGUSR1, handler, 0);
	sem_init(&turn, 0, 0);
	pthread_t t = thread(sleeper, NULL);
	for (int i = 0; i < 10; i++) {
		start();
		sem_post(&turn);
		nap(1.3);
		pthread_kill(t, SIGUSR1);
		nap(3);
	}
	join(t);
	return 0;
}
