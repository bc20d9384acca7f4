/* timerfd_create(2): expirations are counted, reads wait for the next, times that are left are told. */
#include "guest.h"
#include <sys/timerfd.h>
#include <sys/uio.h>

static void set(int fd, double value, double interval)
{
	struct itimerspec new = { as_timespec(units(interval)), as_timespec(units(value)) };
	start();
	MUST(timerfd_settime(fd, 0, &new, NULL) == 0);
}

static int count(int fd)
{
	uint64_t value = 0;
	ssize_t got = read(fd, &value, 8);
	return got == 8 ? (int)value : -errno;
}

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

static pthread_t reader;

static void *sender(void *unused)
{
	(void)unused;
	nap(1.3);
	MUST(pthread_kill(reader, SIGUSR1) == 0);
	return NULL;
}

static void *setter(void *fd)
{
	nap(1);
	struct itimerspec new = { { 0, 0 }, as_timespec(units(1.4)) };
	MUST(timerfd_settime((int)(intptr_t)fd, 0, &new, NULL) == 0);
	return NULL;
}

int main(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	for (int i = 0; i < 3; i++) {
		int fd = timerfd_create(clocks[i], 0);
		set(fd, 1.5, 0);
		int n = count(fd);
		say("one shot: %d after %d", n, after(1.5));
		struct itimerspec at = { { 0, 0 }, in_units(clocks[i], 1.5) }, now;
		start();
		MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) == 0);
		n = count(fd);
		say("absolute: %d after %d, early %d", n, after(1.4), now_on(clocks[i]) < ns_of(at.it_value));
		at.it_value = as_timespec(5);
		MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) == 0);
		say("past: %d", count(fd));
		MUST(timerfd_gettime(fd, &now) == 0);
		say("over: %d", now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
		close(fd);
	}
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	say("not set: %s", name(-count(fd)));
	set(fd, 1.3, 1);
	say("not yet: %s", name(-count(fd)));
	nap(3.7);
	int n = count(fd);
	say("three at once: %d, none left: %s", n, name(-count(fd)));
	nap(1);
	say("one more: %d", count(fd));
	nap(1);
	struct itimerspec now, old, stop = { { 0, 0 }, { 0, 0 } };
	MUST(timerfd_gettime(fd, &now) == 0);
	say("left within %d, interval %d", ns_of(now.it_value) > 0 && ns_of(now.it_value) <= units(1),
	    (int)(ns_of(now.it_interval) / units(1)));
	say("told all the same: %d", count(fd));
	nap(1);
	/* Setting it forgets what was not read. */
	MUST(timerfd_settime(fd, 0, &stop, &old) == 0);
	say("stopped: %s, was %d", name(-count(fd)), ns_of(old.it_value) > 0 && ns_of(old.it_value) <= units(1));
	nap(2);
	say("still: %s", name(-count(fd)));

	/* A read that waits, with a whole interval and with parts of one. */
	MUST(fcntl(fd, F_SETFL, 0) == 0);
	set(fd, 1.3, 1);
	for (int i = 0; i < 3; i++) {
		n = count(fd);
		say("read: %d after %d", n, after(1.3 + i));
	}
	nap(1.5);
	n = count(fd);
	say("late: %d after %d", n, after(4.3));
	/* readv, in parts. */
	uint32_t parts[2] = { 7, 7 };
	struct iovec iov[2] = { { &parts[0], 4 }, { &parts[1], 4 } };
	const char *result = RESULT(readv(fd, iov, 2));
	say("readv: %s, %u %u after %d", result, parts[0], parts[1], after(5.3));
	/* A handler ends the read; the timer goes on. */
	reader = pthread_self();
	on_signal(SIGUSR1, handler, 0);
	set(fd, 2.6, 0);
	pthread_t t = thread(sender, NULL);
	n = count(fd);
	say("read: %s after %d, handled %d", name(-n), after(1.3), (int)handled);
	n = count(fd);
	say("read: %d after %d", n, after(2.6));
	join(t);
	/* Set by another thread while this one reads. */
	start();
	t = thread(setter, (void *)(intptr_t)fd);
	n = count(fd);
	say("set meanwhile: %d after %d", n, after(2.4));
	join(t);
	set(fd, 9, 0);
	t = thread(setter, (void *)(intptr_t)fd);
	n = count(fd);
	say("set anew: %d after %d", n, after(2.4));
	join(t);
	close(fd);

	/* Several, not in the order in which they were made. */
	int fds[3];
	static const double when[] = { 2.3, 0.7, 1.5 };
	for (int i = 0; i < 3; i++) {
		fds[i] = timerfd_create(CLOCK_MONOTONIC, 0);
		set(fds[i], when[i], 0);
	}
	for (int i = 0; i < 3; i++) {
		static const int order[] = { 1, 2, 0 };
		n = count(fds[order[i]]);
		say("timer %d: %d after %d", order[i], n, after(when[order[i]] - 0.1));
	}
	return 0;
}
