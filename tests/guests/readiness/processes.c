/* What other processes do, after a sleep, is seen by poll, select and epoll: data, an end of file by exit, their own end. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>

static pid_t child_that(void (*act)(int), int fd, double when)
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(when);
		act(fd);
		_exit(3);
	}
	return child;
}

static void sends(int fd)
{
	MUST(write(fd, "datagram", 8) == 8);
}

static void ends(int fd)
{
	(void)fd;
}

static int wait_for(int how, int fd)
{
	if (how == 0)
		return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ms(20));
	if (how == 1) {
		fd_set in;
		FD_ZERO(&in);
		FD_SET(fd, &in);
		struct timeval t = as_timeval(units(20));
		return select(fd + 1, &in, NULL, NULL, &t);
	}
	int instance = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	MUST(epoll_ctl(instance, EPOLL_CTL_ADD, fd, &event) == 0);
	int n = epoll_wait(instance, &event, 1, ms(20));
	close(instance);
	return n;
}

int main(void)
{
	static const char *const calls[] = { "poll", "select", "epoll" };
	for (int how = 0; how < 3; how++) {
		say("--- %s", calls[how]);
		int p[2], s[2];
		char bytes[8];
		MUST(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
		pid_t child = child_that(sends, p[1], 1.3);
		REPORT(1, "pipe", wait_for(how, p[0]));
		MUST(read(p[0], bytes, 8) == 8 && reap(child) == 3);
		child = child_that(sends, s[1], 1.3);
		REPORT(1, "socket", wait_for(how, s[0]));
		MUST(read(s[0], bytes, 8) == 8 && reap(child) == 3);

		int e = eventfd(0, 0);
		child = child_that(sends, e, 1.3);
		REPORT(1, "eventfd", wait_for(how, e));
		MUST(reap(child) == 3);

		/* The last writer ends, and so does the file. */
		child = child_that(ends, 0, 1.3);
		close(p[1]);
		REPORT(1, "end of file", wait_for(how, p[0]));
		say("read %zd, child %d", read(p[0], bytes, 8), reap(child));

		child = child_that(ends, 0, 1.3);
		int handle = syscall(SYS_pidfd_open, child, 0);
		MUST(handle >= 0);
		REPORT(1, "process", wait_for(how, handle));
		say("child %d", reap(child));
		close(p[0]), close(s[0]), close(s[1]), close(e), close(handle);
	}
	return 0;
}
