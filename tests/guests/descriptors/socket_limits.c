/* SO_RCVTIMEO and SO_SNDTIMEO with calls that do a part: the rest is waited for until the one limit. Readers that take what
 * another was told of. And connect. Another thread is in the kernel all the time. */
#include "guest.h"
#include <netinet/in.h>
#include <sys/uio.h>
#include <sys/un.h>

static int idle[2], sockets[2], listener;
static char big[4 << 20];

#define MUST_FD(call) ({ int fd_ = (call); MUST(fd_ >= 0); fd_; })

static void limit(int fd, int option, double n)
{
	struct timeval t = as_timeval(units(n));
	MUST(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t) == 0);
}

static void *reader(void *unused)
{
	char byte;
	MUST(read(idle[0], &byte, 1) == 1);
	return unused;
}

static void *sender(void *text)
{
	for (const char *c = text; *c; c++) {
		nap(1.3);
		MUST(send(sockets[1], c, 1, 0) == 1);
	}
	return NULL;
}

static void *drainer(void *unused)
{
	nap(1.3);
	size_t left = sizeof big;
	while (left > 0) {
		static char bytes[65536];
		ssize_t got = recv(sockets[1], bytes, sizeof bytes, 0);
		MUST(got > 0);
		left -= got;
	}
	return unused;
}

static void *taker(void *unused)
{
	char byte;
	ssize_t got = recv(sockets[0], &byte, 1, 0);
	return got == 1 ? &idle : unused;
}

static void *accepter(void *unused)
{
	nap(1.3);
	close(MUST_FD(accept(listener, NULL, NULL)));
	return unused;
}

static void some(double asked, const char *what, ssize_t (*call)(void))
{
	start();
	ssize_t n = call();
	int elapsed = after(asked);
	say("%s: %s after %d", what, n < 0 ? name(errno) : n == 0 ? "nothing" : n < (ssize_t)sizeof big ? "some" : "all", elapsed);
}

static ssize_t by_send(void)
{
	return send(sockets[0], big, sizeof big, 0);
}

static ssize_t by_write(void)
{
	return write(sockets[0], big, sizeof big);
}

static ssize_t by_writev(void)
{
	struct iovec parts[3] = { { big, 10 }, { big + 10, sizeof big - 20 }, { big + sizeof big - 10, 10 } };
	return writev(sockets[0], parts, 3);
}

static ssize_t by_sendmsg(void)
{
	struct iovec parts[2] = { { big, sizeof big / 2 }, { big + sizeof big / 2, sizeof big / 2 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	return sendmsg(sockets[0], &message, 0);
}

static void tcp_pair(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int door = socket(AF_INET, SOCK_STREAM, 0), space = 256 << 10;
	MUST(setsockopt(door, SOL_SOCKET, SO_RCVBUF, &space, sizeof space) == 0);
	MUST(bind(door, (struct sockaddr *)&address, length) == 0 && listen(door, 5) == 0);
	MUST(getsockname(door, (struct sockaddr *)&address, &length) == 0);
	sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
	MUST(setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &space, sizeof space) == 0);
	limit(sockets[0], SO_SNDTIMEO, 2);
	REPORT(0, "connect", connect(sockets[0], (struct sockaddr *)&address, length));
	say("again: %s", RESULT(connect(sockets[0], (struct sockaddr *)&address, length)));
	sockets[1] = MUST_FD(accept(door, NULL, NULL));
	close(door);
	int refused = socket(AF_INET, SOCK_STREAM, 0);
	limit(refused, SO_SNDTIMEO, 2);
	REPORT(0, "refused", connect(refused, (struct sockaddr *)&address, length));
	close(refused);
}

static void transfers(bool tcp)
{
	char bytes[16] = { 0 };
	limit(sockets[0], SO_RCVTIMEO, 4);
	pthread_t other = thread(sender, "ab");
	REPORT(2, "all of two", recv(sockets[0], bytes, 2, MSG_WAITALL));
	say("%s", bytes);
	join(other);
	other = thread(sender, "de");
	struct iovec parts[2] = { { bytes, 1 }, { bytes + 1, 4 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	REPORT(4, "two of five", recvmsg(sockets[0], &message, MSG_WAITALL));
	say("%s", bytes);
	join(other);
	REPORT(4, "none of five", recv(sockets[0], bytes, 5, MSG_WAITALL));
	REPORT(0, "errors", recv(sockets[0], bytes, 5, MSG_ERRQUEUE));
	REPORT(0, "nothing asked", read(sockets[0], bytes, 0));

	/* Two readers, one byte. */
	start();
	pthread_t takers[2] = { thread(taker, NULL), thread(taker, NULL) };
	nap(1);
	MUST(send(sockets[1], "x", 1, 0) == 1);
	int got = 0;
	for (int i = 0; i < 2; i++)
		got += join(takers[i]) != NULL;
	int elapsed = after(0);
	say("got %d after %d", got, elapsed);

	limit(sockets[0], SO_SNDTIMEO, 2);
	some(2, "send", by_send);
	/* TCP finds room for more now and then. */
	if (!tcp) {
		some(2, "full", by_send);
		REPORT(0, "don't wait", send(sockets[0], big, 100000, MSG_DONTWAIT));
	}
}

static void sends(void)
{
	ssize_t (*const calls[])(void) = { by_send, by_write, by_writev, by_sendmsg };
	for (int i = 0; i < 4; i++) {
		limit(sockets[0], SO_SNDTIMEO, 3);
		pthread_t other = thread(drainer, NULL);
		some(1, "drained in time", calls[i]);
		join(other);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, idle) == 0);
	pthread_t in_kernel = thread(reader, NULL);
	nap(1);
	for (int tcp = 0; tcp < 2; tcp++) {
		say("--- %s", tcp ? "TCP" : "local");
		for (int turn = 0; turn < 2; turn++) {
			if (tcp)
				tcp_pair();
			else
				MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
			if (turn == 0)
				transfers(tcp);
			else
				sends();
			close(sockets[0]);
			close(sockets[1]);
		}
	}

	/* A datagram socket whose peer is full: poll says that it can be written, and it cannot. */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof address;
	int full = socket(AF_UNIX, SOCK_DGRAM, 0);
	MUST(bind(full, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
	MUST(getsockname(full, (struct sockaddr *)&address, &length) == 0);
	int from = socket(AF_UNIX, SOCK_DGRAM, 0);
	while (sendto(from, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, length) == 1)
		;
	limit(from, SO_SNDTIMEO, 2);
	REPORT(2, "datagram", sendto(from, "x", 1, 0, (struct sockaddr *)&address, length));

	/* A listener without room. */
	struct sockaddr_un place = { .sun_family = AF_UNIX };
	length = sizeof place;
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&place, sizeof place.sun_family) == 0 && listen(listener, 0) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&place, &length) == 0);
	int first = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(connect(first, (struct sockaddr *)&place, length) == 0);
	limit(second, SO_SNDTIMEO, 2);
	REPORT(2, "no room", connect(second, (struct sockaddr *)&place, length));
	struct timeval t;
	socklen_t size = sizeof t;
	MUST(getsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &t, &size) == 0);
	say("limit kept: %d", t.tv_sec * SECOND + t.tv_usec * 1000LL >= units(2));
	pthread_t other = thread(accepter, NULL);
	REPORT(1, "room", connect(second, (struct sockaddr *)&place, length));
	join(other);
	MUST(send(idle[1], "x", 1, 0) == 1);
	join(in_kernel);
	return 0;
}
