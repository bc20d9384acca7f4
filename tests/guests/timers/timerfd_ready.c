/* Waiting for a timer descriptor to be ready: poll, select, epoll by level and by edge, an epoll in an epoll. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>

/* REPORT counts from the call, this from the setting. */
#define SINCE(asked, what, call) report((asked), (what), RESULT(call))

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

static int add(int set, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	MUST(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
	return set;
}

static void *poller(void *fd)
{
	struct pollfd ready = { (int)(intptr_t)fd, POLLIN, 0 };
	return (void *)(intptr_t)poll(&ready, 1, -1);
}

int main(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd ready = { fd, POLLIN, 0 };
	set(fd, 1.5, 0);
	say("poll at once: %d", poll(&ready, 1, 0));
	SINCE(1, "poll, too short", poll(&ready, 1, ms(1)));
	SINCE(1.5, "poll", poll(&ready, 1, ms(3)));
	say("count %d", count(fd));
	set(fd, 1.5, 0);
	SINCE(1.5, "poll for ever", poll(&ready, 1, -1));
	say("still ready: %d, count %d", poll(&ready, 1, 0), count(fd));
	set(fd, 1.5, 0);
	struct timespec limit = as_timespec(units(3));
	SINCE(1.5, "ppoll", ppoll(&ready, 1, &limit, NULL));

	for (int endless = 0; endless < 2; endless++) {
		set(fd, 1.5, 0);
		fd_set fds;
		FD_ZERO(&fds);
		FD_SET(fd, &fds);
		struct timeval tv = as_timeval(units(3));
		SINCE(1.5, "select", select(fd + 1, &fds, NULL, NULL, endless ? NULL : &tv));
		say("set %d", FD_ISSET(fd, &fds) != 0);
	}

	struct epoll_event event;
	int level = add(epoll_create1(0), fd, EPOLLIN);
	for (int i = 0; i < 2; i++) {
		set(fd, 1.5, 1);
		SINCE(1.5, "epoll_wait", epoll_wait(level, &event, 1, i ? -1 : ms(4)));
		say("again: %d", epoll_wait(level, &event, 1, 0));
		int n = count(fd);
		say("count %d, nothing: %d", n, epoll_wait(level, &event, 1, 0));
		SINCE(2.5, "next", epoll_wait(level, &event, 1, -1));
		say("count %d", count(fd));
	}

	/* By edge: once an expiration that follows a read, or the setting. */
	int edge = add(epoll_create1(0), fd, EPOLLIN | EPOLLET);
	set(fd, 1.5, 1);
	SINCE(1.5, "edge", epoll_wait(edge, &event, 1, -1));
	say("not again: %d", epoll_wait(edge, &event, 1, 0));
	SINCE(4, "not read, no edge", epoll_wait(edge, &event, 1, ms(2.7)));
	int n = count(fd);
	say("count %d", n);
	SINCE(4.5, "read, an edge", epoll_wait(edge, &event, 1, ms(4)));
	n = count(fd);
	say("count %d", n);

	/* An epoll in an epoll, polled. */
	int outer = add(epoll_create1(0), level, EPOLLIN);
	set(fd, 1.5, 0);
	SINCE(1.5, "nested", epoll_wait(outer, &event, 1, ms(4)));
	set(fd, 1.5, 0);
	struct pollfd nested = { outer, POLLIN, 0 };
	SINCE(1.5, "nested, poll", poll(&nested, 1, -1));
	say("count %d", count(fd));

	/* Two timers in one set, and a pipe that is ready sooner than either. */
	int other = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), pipes[2];
	MUST(pipe(pipes) == 0);
	add(level, other, EPOLLIN);
	add(level, pipes[0], EPOLLIN);
	set(fd, 2.5, 0);
	set(other, 1.5, 0);
	pid_t child = fork();
	if (child == 0) {
		nap(0.5);
		MUST(write(pipes[1], "x", 1) == 1);
		_exit(0);
	}
	char byte;
	for (int i = 0; i < 3; i++) {
		MUST(epoll_wait(level, &event, 1, -1) == 1);
		int which = event.data.fd;
		/* The first was set a little before the second. */
		int elapsed = after(0.4 + i);
		say("%s after %d", which == fd ? "first timer" : which == other ? "second timer" : "pipe", elapsed);
		MUST(read(which, &byte, which == pipes[0] ? 1 : 0) >= -1);
		if (which != pipes[0])
			count(which);
	}
	reap(child);

	/* Two threads wait for one timer. */
	set(fd, 1.5, 0);
	pthread_t a = thread(poller, (void *)(intptr_t)fd), b = thread(poller, (void *)(intptr_t)fd);
	long both = (long)join(a) + (long)join(b);
	say("both saw it: %ld after %d", both, after(1.5));

	/* Beside somebody who sleeps. */
	child = fork();
	if (child == 0) {
		nap(5);
		_exit(0);
	}
	set(fd, 1.3, 1);
	for (int i = 0; i < 4; i++) {
		MUST(poll(&ready, 1, -1) == 1);
		n = count(fd);
		say("beside a sleeper: %d after %d", n, after(1.3 + i));
	}
	reap(child);
	return 0;
}
