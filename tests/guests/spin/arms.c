/* Loops that look at the clock and arm and disarm a timer each time round, as some runtimes do for their time slices. */
#include "guest.h"
#include <signal.h>

static volatile int done;

static void *sleeper(void *unused)
{
	nap(1.3);
	done = 1;
	return unused;
}

static void arm_and_disarm(timer_t timer)
{
	struct itimerspec slice = { .it_value = { 1000000, 0 }, .it_interval = { 1000000, 0 } };
	MUST(timer_settime(timer, 0, &slice, NULL) == 0);
	MUST(timer_settime(timer, 0, &(struct itimerspec){ 0 }, NULL) == 0);
}

int main(void)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);

	start();
	pthread_t t = thread(sleeper, NULL);
	while (!done) {
		now_on(CLOCK_MONOTONIC);
		arm_and_disarm(timer);
	}
	say("a flag: after %d", after(1.3));
	join(t);

	start();
	struct timespec until = in_units(CLOCK_MONOTONIC, 1.3);
	MUST(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
	while (now_on(CLOCK_MONOTONIC) <= until.tv_sec * SECOND + until.tv_nsec)
		arm_and_disarm(timer);
	say("later than the end of a sleep: after %d", after(1.3));
	return 0;
}
