/* A wait takes longer than was asked for, if only by a moment: programs ask "is it later than the end?" and mean it. */
#include "guest.h"
#include <semaphore.h>

static void ended(const char *what, double asked)
{
	int64_t took = now_on(CLOCK_MONOTONIC) - started;
	double seconds = (double)(started + took) / 1e9 - (double)started / 1e9;
	say("%s: %s, %s", what, took > units(asked) ? "longer" : "NOT LONGER: FAIL",
		seconds >= (double)units(asked) / 1e9 ? "as doubles too" : "as doubles EARLY");
}

int main(void)
{
	start();
	struct timespec one = { units(1) / SECOND, units(1) % SECOND };
	nanosleep(&one, NULL);
	ended("nanosleep", 1);

	start();
	int64_t end = started + units(1);
	struct timespec until = { end / SECOND, end % SECOND };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	ended("clock_nanosleep", 1);

	start();
	poll(NULL, 0, ms(1));
	ended("poll", 1);

	sem_t never;
	sem_init(&never, 0, 0);
	struct timespec limit;
	clock_gettime(CLOCK_REALTIME, &limit);
	start();
	limit.tv_sec += 1;
	sem_timedwait(&never, &limit);
	say("sem_timedwait: %s", now_on(CLOCK_REALTIME) > limit.tv_sec * SECOND + limit.tv_nsec ? "longer" : "FAIL");

	/* A timer's expirations stay where they are: the period does not drift. */
	sigset_t alarm;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } };
	start();
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 1; i <= 10; i++) {
		int got;
		sigwait(&alarm, &got);
		MUST(now_on(CLOCK_MONOTONIC) - started >= i * 10000000LL);
	}
	setitimer(ITIMER_REAL, &(struct itimerval) {}, NULL);
	say("a timer: does not drift");
	return 0;
}
