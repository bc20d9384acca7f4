/* Thousands of timers, and many ticks of few, beside somebody who must not be woken early. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

enum { TIMERS = FEWER(10000, 500), DESCRIPTORS = FEWER(500, 50), TICKS = FEWER(3000, 300) };

static volatile sig_atomic_t alarms;
static int64_t last_alarm;
static int early;

static void on_alarm(int number)
{
	(void)number;
	int64_t now = now_on(CLOCK_MONOTONIC);
	early += now < last_alarm;
	last_alarm = now;
	alarms++;
}

static void armed(void)
{
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGRTMIN);
	MUST(pthread_sigmask(SIG_BLOCK, &only, NULL) == 0);
	int64_t due[TIMERS], late = 0, lost = 0;
	int64_t base = now_on(CLOCK_MONOTONIC) + units(1);
	for (int i = 0; i < TIMERS; i++) {
		timer_t timer;
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = i };
		due[i] = base + units(1) * ((int64_t)i * 7919 % TIMERS) / TIMERS;
		struct itimerspec at = { { 0, 0 }, as_timespec(due[i]) };
		MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, TIMER_ABSTIME, &at, NULL) == 0);
	}
	int64_t before = 0;
	for (int i = 0; i < TIMERS; i++) {
		siginfo_t info;
		if (sigtimedwait(&only, &info, &(struct timespec){ 100000, 0 }) != SIGRTMIN) {
			lost++;
			continue;
		}
		int64_t now = now_on(CLOCK_MONOTONIC), mine = due[info.si_value.sival_int];
		early += now < mine;
		late += mine < before;
		before = mine > before ? mine : before;
	}
	say("armed: early %d, lost %d", early, (int)lost);
}

static void descriptors(void)
{
	int epoll = epoll_create1(0);
	struct { int fd; int64_t due; } timers[DESCRIPTORS];
	for (int i = 0; i < DESCRIPTORS; i++) {
		timers[i].fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		timers[i].due = now_on(CLOCK_MONOTONIC) + units(1) + units(1) * ((int64_t)i * 7919 % DESCRIPTORS) / DESCRIPTORS;
		struct itimerspec at = { { 0, 0 }, as_timespec(timers[i].due) };
		MUST(timers[i].fd >= 0 && timerfd_settime(timers[i].fd, TFD_TIMER_ABSTIME, &at, NULL) == 0);
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
		MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, timers[i].fd, &event) == 0);
	}
	for (int i = 0; i < DESCRIPTORS; i++) {
		struct epoll_event event;
		MUST(epoll_wait(epoll, &event, 1, -1) == 1);
		uint64_t count;
		MUST(read(timers[event.data.u32].fd, &count, 8) == 8 && count == 1);
		early += now_on(CLOCK_MONOTONIC) < timers[event.data.u32].due;
	}
	say("descriptors: early %d", early);
}

static void *ticker(void *total)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	int64_t began = now_on(CLOCK_MONOTONIC);
	struct itimerspec tick = { as_timespec(units(0.01)), as_timespec(units(0.01)) };
	MUST(timerfd_settime(fd, 0, &tick, NULL) == 0);
	for (uint64_t n = 0, count; n < TICKS; n += count) {
		MUST(read(fd, &count, 8) == 8);
		if (now_on(CLOCK_MONOTONIC) - began < (int64_t)(n + count) * units(0.01))
			__atomic_fetch_add((int *)total, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

int main(void)
{
	armed();
	descriptors();
	on_signal(SIGALRM, on_alarm, SA_RESTART);
	start();
	struct itimerval tick = { as_timeval(units(0.1)), as_timeval(units(0.1)) };
	MUST(setitimer(ITIMER_REAL, &tick, NULL) == 0);
	pthread_t a = thread(ticker, &early), b = thread(ticker, &early);
	join(a);
	join(b);
	say("ticks: early %d, not sooner %d", early, after(TICKS * 0.01) >= TICKS / 100);
	say("alarms: %d", alarms > TICKS / 100);
	return 0;
}
