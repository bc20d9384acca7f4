/* Loops that ask for something to read until a sleeping thread writes it. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/un.h>

static int ends[2];

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(ends[1], "x", 1) == 1);
	return unused;
}

#define UNTIL(what, call) \
	do { \
		start(); \
		pthread_t t = thread(writer, NULL); \
		while (!(call)) \
			; \
		say(what ": after %d", after(1.3)); \
		join(t); \
	} while (0)

static int selects(void)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	struct timeval none = { 0, 0 };
	return select(ends[0] + 1, &set, NULL, NULL, &none);
}

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void *connects(void *unused)
{
	nap(1.3);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(connect(s, (void *)&address, sizeof(sa_family_t) + 12) == 0);
	close(s);
	return unused;
}

int main(void)
{
	char c;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	UNTIL("recv", recv(ends[0], &c, 1, MSG_DONTWAIT) == 1);
	struct pollfd poller = { ends[0], POLLIN, 0 };
	UNTIL("poll", poll(&poller, 1, 0) == 1);
	MUST(read(ends[0], &c, 1) == 1);
	UNTIL("select", selects() == 1);
	MUST(read(ends[0], &c, 1) == 1);
	int set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	MUST(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
	UNTIL("epoll_wait", epoll_wait(set, &event, 1, 0) == 1);
	MUST(read(ends[0], &c, 1) == 1);
	MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
	UNTIL("read", read(ends[0], &c, 1) == 1);

	snprintf(address.sun_path + 1, 12, "spin%07d", getpid());
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), got;
	MUST(bind(listener, (void *)&address, sizeof(sa_family_t) + 12) == 0 && listen(listener, 1) == 0);
	start();
	pthread_t t = thread(connects, NULL);
	while ((got = accept(listener, NULL, NULL)) < 0)
		;
	say("accept: after %d", after(1.3));
	join(t);
	close(got);
	close(listener);
	return 0;
}
