/* Threads that hand one thing to each other when they are asked for it, as interpreters with a global lock do: who wants it
 * asks after a while, and who has it computes until it is asked. */
#include "guest.h"

#define TIMES 48

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed;
static volatile int asked, taken, times;

static void take(void)
{
	pthread_mutex_lock(&mutex);
	while (taken) {
		struct timespec until = in_units(CLOCK_MONOTONIC, 0.05);
		if (pthread_cond_timedwait(&freed, &mutex, &until) == ETIMEDOUT)
			asked = 1;
	}
	taken = 1;
	pthread_mutex_unlock(&mutex);
}

static void give(void)
{
	pthread_mutex_lock(&mutex);
	taken = asked = 0;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&mutex);
}

static void *computes(void *unused)
{
	while (times < TIMES) {
		int before = times;
		take();
		while (!asked)
			;
		give();
		while (times == before)
			;
	}
	return unused;
}

int main(void)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&freed, &attributes);
	start();
	pthread_t t = thread(computes, NULL);
	while (times < TIMES) {
		while (!taken)
			;
		take();
		times = times + 1;
		give();
	}
	join(t);
	say("%d times, each in time: %d", times, after(TIMES * 0.05) >= 2);
	return 0;
}
