/* Deadlines of every kind, one after the other, and several processes with alarms of their own. */
#include "guest.h"
#include <sys/timerfd.h>

static struct seen {
	int place;
	char what[32][24];
} *seen;

static void note(const char *what)
{
	strcpy(seen->what[__atomic_fetch_add(&seen->place, 1, __ATOMIC_SEQ_CST)], what);
}

static void *sleeper(void *n)
{
	nap(*(double *)n);
	note("a sleep");
	return NULL;
}

static void *reader(void *n)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec at = { { 0, 0 }, as_timespec(units(*(double *)n)) };
	uint64_t count;
	MUST(timerfd_settime(fd, 0, &at, NULL) == 0 && read(fd, &count, 8) == 8);
	note("a timerfd");
	return NULL;
}

static void handler(int number)
{
	note(number == SIGALRM ? "an alarm" : "a timer");
}

static void function(union sigval value)
{
	(void)value;
	note("a function");
}

static void *poller(void *n)
{
	poll(NULL, 0, ms(*(double *)n));
	note("a poll");
	return NULL;
}

int main(void)
{
	seen = shared(sizeof *seen);
	on_signal(SIGALRM, handler, SA_RESTART);
	on_signal(SIGUSR1, handler, SA_RESTART);
	pid_t child = fork();
	if (child == 0) {
		struct itimerval at = { { 0, 0 }, as_timeval(units(3.5)) };
		MUST(setitimer(ITIMER_REAL, &at, NULL) == 0);
		pause();
		_exit(0);
	}
	static double when[] = { 6, 1, 4, 2 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigevent call = { .sigev_notify = SIGEV_THREAD };
	call.sigev_notify_function = function;
	timer_t timers[2];
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[0]) == 0 && timer_create(CLOCK_REALTIME, &call, &timers[1]) == 0);
	struct itimerspec at = { { 0, 0 }, as_timespec(units(3)) };
	MUST(timer_settime(timers[0], 0, &at, NULL) == 0);
	at.it_value = as_timespec(units(5));
	MUST(timer_settime(timers[1], 0, &at, NULL) == 0);
	pthread_t t[4] = { thread(sleeper, &when[0]), thread(reader, &when[1]), thread(reader, &when[2]), thread(poller, &when[3]) };
	for (int i = 0; i < 4; i++)
		join(t[i]);
	reap(child);
	for (int i = 0; i < seen->place; i++)
		say("%s", seen->what[i]);
	return 0;
}
