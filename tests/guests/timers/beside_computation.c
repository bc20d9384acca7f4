/* Timers whose time comes while a thread computes: by the clock that runs, not when everybody has come to rest. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>

static volatile sig_atomic_t alarms, signals;

static void on_alarm(int number)
{
	*(number == SIGALRM ? &alarms : &signals) += 1;
}

static void *reader(void *fd)
{
	uint64_t count;
	MUST(read((int)(intptr_t)fd, &count, 8) == 8);
	return (void *)(intptr_t)count;
}

int main(void)
{
	on_signal(SIGALRM, on_alarm, SA_RESTART);
	on_signal(SIGUSR1, on_alarm, SA_RESTART);
	struct itimerval alarm_at = { { 0, 0 }, as_timeval(units(1)) };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec at = { { 0, 0 }, as_timespec(units(2)) };
	timer_t timer;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), other = timerfd_create(CLOCK_MONOTONIC, 0);

	start();
	MUST(setitimer(ITIMER_REAL, &alarm_at, NULL) == 0);
	MUST(timer_settime(timer, 0, &at, NULL) == 0);
	at.it_value = as_timespec(units(3));
	MUST(timerfd_settime(fd, 0, &at, NULL) == 0);
	pthread_t t = thread(reader, (void *)(intptr_t)other);
	MUST(timerfd_settime(other, 0, &at, NULL) == 0);
	while (alarms == 0)
		;
	say("SIGALRM %s", in_time(1));
	while (signals == 0)
		;
	say("SIGUSR1 %s", in_time(2));
	/* Readable as soon as the clock says so. */
	uint64_t count = 0;
	while (now_on(CLOCK_MONOTONIC) - started < units(3.3))
		;
	const char *got = RESULT(read(fd, &count, 8));
	say("read: %s, count %d", got, (int)count);
	join(t);
	say("the other reader %s", in_time(3));
	struct pollfd ready = { fd, POLLIN, 0 };
	start();
	MUST(timerfd_settime(fd, 0, &at, NULL) == 0);
	while (poll(&ready, 1, 0) == 0)
		;
	say("polled %s", in_time(3));
	return 0;
}
