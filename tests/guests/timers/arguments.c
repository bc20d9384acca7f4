/* What each entry point says to arguments that are wrong, in the order in which the kernel looks at them. */
#include "guest.h"
#include <sys/timerfd.h>

#define BAD ((void *)8)

static const struct timespec ok = { 1000000, 0 }, zero = { 0, 0 };

static void timerfds(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_TAI, 99, -1 };
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		errno = 0;
		int fd = timerfd_create(clocks[i], 0);
		say("timerfd_create clock %d: %s", (int)clocks[i], fd < 0 ? name(errno) : "a descriptor");
		if (fd >= 0)
			close(fd);
	}
	say("timerfd_create flags: %s", RESULT(timerfd_create(CLOCK_MONOTONIC, 1)));

	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	say("flags kept: %d %d", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	static const struct timespec values[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { 1, 999999999 }, { INT64_MAX, 0 } };
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
		for (int interval = 0; interval < 2; interval++) {
			struct itimerspec new = { zero, zero };
			*(interval ? &new.it_interval : &new.it_value) = values[i];
			say("timerfd_settime %u %d: %s", i, interval, RESULT(timerfd_settime(fd, 0, &new, NULL)));
		}
	struct itimerspec new = { ok, ok }, old;
	int pipes[2];
	MUST(pipe(pipes) == 0);
	say("timerfd_settime flags: %s", RESULT(timerfd_settime(fd, 4, &new, NULL)));
	say("timerfd_settime closed: %s", RESULT(timerfd_settime(999, 0, &new, NULL)));
	say("timerfd_settime pipe: %s", RESULT(timerfd_settime(pipes[0], 0, &new, NULL)));
	say("timerfd_settime bad new: %s", RESULT(timerfd_settime(fd, 0, BAD, NULL)));
	say("timerfd_settime bad new, closed: %s", RESULT(timerfd_settime(999, 0, BAD, NULL)));
	say("timerfd_settime bad old: %s", RESULT(timerfd_settime(fd, 0, &new, BAD)));
	say("timerfd_gettime closed: %s", RESULT(timerfd_gettime(999, &old)));
	say("timerfd_gettime pipe: %s", RESULT(timerfd_gettime(pipes[0], &old)));
	say("timerfd_gettime bad: %s", RESULT(timerfd_gettime(fd, BAD)));
	const char *result = RESULT(timerfd_gettime(fd, &old));
	say("timerfd_gettime: %s, interval %d, value %d", result, (int)old.it_interval.tv_sec, old.it_value.tv_sec > 999998);
	uint64_t count;
	say("read nothing yet: %s", RESULT(read(fd, &count, 8)));
	say("read too little: %s", RESULT(read(fd, &count, 7)));
	say("write: %s", RESULT(write(fd, &count, 8)));
	say("lseek: %s", RESULT(lseek(fd, 0, SEEK_SET)));
	/* A time that is stopped keeps its interval. */
	struct itimerspec stop = { { 7, 0 }, zero };
	say("stop: %s", RESULT(timerfd_settime(fd, 0, &stop, &old)));
	MUST(timerfd_gettime(fd, &old) == 0);
	say("stopped: interval %d value %d", (int)old.it_interval.tv_sec, (int)old.it_value.tv_sec);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

static void nothing(union sigval value)
{
	(void)value;
}

static void timers(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, 99, -1 };
	timer_t timer;
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		const char *result = RESULT(timer_create(clocks[i], &none, &timer));
		say("timer_create clock %d: %s", (int)clocks[i], result);
		if (result[0] == '0')
			say("    timer_delete: %s", RESULT(timer_delete(timer)));
	}
	struct sigevent events[] = {
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 0 },
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = -1 },
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 },
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL },
		{ .sigev_notify = 17, .sigev_signo = SIGALRM },
		{ .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM, .sigev_notify_thread_id = 1 },
		{ .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM, .sigev_notify_thread_id = getpid() },
		{ .sigev_notify = SIGEV_THREAD, .sigev_signo = 0, .sigev_notify_function = nothing },
	};
	for (unsigned i = 0; i < sizeof events / sizeof *events; i++) {
		const char *result = RESULT(timer_create(CLOCK_MONOTONIC, &events[i], &timer));
		say("timer_create event %u: %s", i, result);
		if (result[0] == '0')
			MUST(timer_delete(timer) == 0);
	}
	MUST(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	static const struct timespec values[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { 1000000, 999999999 } };
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
		for (int interval = 0; interval < 2; interval++) {
			struct itimerspec new = { zero, zero };
			*(interval ? &new.it_interval : &new.it_value) = values[i];
			say("timer_settime %u %d: %s", i, interval, RESULT(timer_settime(timer, 0, &new, NULL)));
		}
	struct itimerspec new = { ok, ok }, now, old;
	say("timer_settime null: %s", RESULT(timer_settime(timer, 0, NULL, NULL)));
	say("timer_settime: %s", RESULT(timer_settime(timer, 0, &new, NULL)));
	const char *result = RESULT(timer_gettime(timer, &now));
	say("timer_gettime: %s, interval %d, value %d", result, (int)now.it_interval.tv_sec, now.it_value.tv_sec > 999998);
	say("timer_getoverrun: %s", RESULT(timer_getoverrun(timer)));
	struct itimerspec stop = { ok, zero };
	result = RESULT(timer_settime(timer, 0, &stop, &old));
	say("stop: %s, was %d", result, old.it_value.tv_sec > 999998);
	MUST(timer_gettime(timer, &now) == 0);
	say("stopped: interval %d value %d", (int)now.it_interval.tv_sec, (int)now.it_value.tv_sec);
	say("timer_delete: %s", RESULT(timer_delete(timer)));
	say("deleted: %s", RESULT(timer_settime(timer, 0, &new, NULL)));
	say("deleted: %s", RESULT(timer_gettime(timer, &now)));
	say("deleted: %s", RESULT(timer_getoverrun(timer)));
	say("deleted: %s", RESULT(timer_delete(timer)));
}

static void itimers(void)
{
	static const struct timeval values[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000 }, { 1000000, 999999 } };
	struct itimerval now, old;
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
		for (int interval = 0; interval < 2; interval++) {
			struct itimerval new = { { 0, 0 }, { 0, 0 } };
			*(interval ? &new.it_interval : &new.it_value) = values[i];
			say("setitimer %u %d: %s", i, interval, RESULT(setitimer(ITIMER_REAL, &new, NULL)));
		}
	struct itimerval new = { { 5, 0 }, { 1000000, 0 } };
	say("setitimer which: %s", RESULT(setitimer(3, &new, NULL)));
	say("getitimer which: %s", RESULT(getitimer(-1, &now)));
	say("setitimer bad: %s", RESULT(syscall(38, ITIMER_REAL, BAD, NULL)));
	say("getitimer bad: %s", RESULT(syscall(36, ITIMER_REAL, BAD)));
	say("setitimer: %s", RESULT(setitimer(ITIMER_REAL, &new, &old)));
	const char *result = RESULT(getitimer(ITIMER_REAL, &now));
	say("getitimer: %s, interval %d value %d", result, (int)now.it_interval.tv_sec, now.it_value.tv_sec > 999998);
	say("alarm(0): %d", alarm(0) > 999998);
	MUST(getitimer(ITIMER_REAL, &now) == 0);
	say("stopped: interval %d value %d", (int)now.it_interval.tv_sec, (int)now.it_value.tv_sec);
	unsigned before = alarm(1000);
	say("alarm: %u, then %u", before, alarm(0));
	before = alarm(UINT32_MAX);
	say("alarm for ever: %u, then %d", before, alarm(0) > 2147483000);
	say("ualarm too much: %s", RESULT((int)ualarm(1000000, 0)));
	say("ualarm: %s", RESULT((int)ualarm(999999, 0)));
	say("ualarm stopped: %d", ualarm(0, 0) > 500000);
	/* Those that count the processor's time are others. */
	struct itimerval far = { { 0, 0 }, { 5000, 0 } };
	say("ITIMER_VIRTUAL: %s", RESULT(setitimer(ITIMER_VIRTUAL, &far, NULL)));
	MUST(getitimer(ITIMER_REAL, &now) == 0);
	say("ITIMER_REAL: %d", (int)now.it_value.tv_sec);
	MUST(getitimer(ITIMER_VIRTUAL, &now) == 0);
	say("ITIMER_VIRTUAL: %d", now.it_value.tv_sec >= 4998);
}

int main(void)
{
	timerfds();
	timers();
	itimers();
	return 0;
}
