/* One timer, several descriptors and processes: dup(2), fork(2), SCM_RIGHTS, and creators that are gone. */
#include "guest.h"
#include <sys/timerfd.h>

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

static void give(int socket, int fd)
{
	char byte = 'x', space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	MUST(sendmsg(socket, &message, 0) == 1);
}

static int take(int socket)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	MUST(recvmsg(socket, &message, 0) == 1);
	int fd;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

int main(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), sockets[2], n;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);

	int copies[4] = { dup(fd), dup2(fd, 40), dup3(fd, 41, O_CLOEXEC), fcntl(fd, F_DUPFD, 42) };
	for (int i = 0; i < 4; i++) {
		set(copies[i], 1.3, 1);
		n = count(fd);
		int elapsed = after(1.3);
		nap(2);
		int later = count(copies[(i + 1) % 4]);
		say("copy %d: %d after %d, then %d", i, n, elapsed, later);
	}
	/* The descriptor that it was set by is closed. */
	set(copies[0], 1.5, 0);
	close(copies[0]);
	n = count(fd);
	say("the other one: %d after %d", n, after(1.5));
	for (int i = 1; i < 4; i++)
		close(copies[i]);

	/* The child reads what the parent has set, and the other way round. */
	set(fd, 1.3, 1);
	pid_t child = fork();
	if (child == 0) {
		n = count(fd);
		int elapsed = after(1.3);
		nap(1.5);
		say("child: %d after %d, then %d", n, elapsed, count(fd));
		set(fd, 1.5, 0);
		_exit(0);
	}
	reap(child);
	start();
	n = count(fd);
	say("set by the child, which is gone: %d", n);

	/* The creator closes it, or dies, while the child waits. */
	for (int dies = 0; dies < 2; dies++) {
		child = fork();
		if (child == 0) {
			int mine = timerfd_create(CLOCK_MONOTONIC, 0);
			set(mine, 2.5, 1);
			pid_t heir = fork();
			if (heir == 0) {
				close(sockets[1]);
				n = count(mine);
				say("heir: %d after %d", n, after(2.5));
				n = count(mine);
				say("heir: %d after %d", n, after(3.5));
				MUST(write(sockets[0], "x", 1) == 1);
				_exit(0);
			}
			nap(0.5);
			if (dies)
				_exit(0);
			close(mine);
			_exit(reap(heir));
		}
		say("creator %d", reap(child));
		char byte;
		MUST(read(sockets[1], &byte, 1) == 1);
	}

	/* Passed to a process that has never seen it, set before and after. */
	child = fork();
	if (child == 0) {
		close(fd);
		int got = take(sockets[0]);
		start();
		n = count(got);
		say("passed: %d", n);
		set(got, 1.5, 0);
		n = count(got);
		say("set there: %d after %d", n, after(1.5));
		_exit(0);
	}
	int passed = timerfd_create(CLOCK_MONOTONIC, 0);
	set(passed, 1.5, 0);
	give(sockets[1], passed);
	close(passed);
	say("receiver %d", reap(child));

	/* Many that are made and closed leave nothing behind. */
	for (int i = 0; i < FEWER(20000, 500); i++) {
		int one = timerfd_create(CLOCK_MONOTONIC, 0);
		struct itimerspec soon = { { 0, 0 }, as_timespec(units(0.5)) };
		MUST(one >= 0 && timerfd_settime(one, 0, &soon, NULL) == 0);
		close(one);
	}
	set(fd, 1.5, 0);
	n = count(fd);
	say("after many others: %d", n);
	return 0;
}
