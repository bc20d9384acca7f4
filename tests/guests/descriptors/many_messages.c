/* recvmmsg and sendmmsg: the call's own time-out, which is looked at after each message, and those of the socket. */
#include "guest.h"
#include <netinet/in.h>

enum { MANY = 64 };

static int sockets[2];
static char bytes[MANY];
static struct iovec parts[MANY];
static struct mmsghdr messages[MANY];

static void limit(int option, double n)
{
	struct timeval t = as_timeval(units(n));
	MUST(setsockopt(sockets[0], SOL_SOCKET, option, &t, sizeof t) == 0);
}

static void *sender(void *text)
{
	for (const char *c = text; *c; c++) {
		nap(1.3);
		MUST(send(sockets[1], c, 1, 0) == 1);
	}
	return NULL;
}

static struct mmsghdr *ready(void)
{
	memset(bytes, 0, sizeof bytes);
	for (int i = 0; i < MANY; i++) {
		parts[i] = (struct iovec){ &bytes[i], 1 };
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[i], .msg_iovlen = 1 }, .msg_len = 77 };
	}
	return messages;
}

static void receive(const char *what, const char *text, double asked, unsigned n, int flags, double timeout)
{
	pthread_t other = thread(sender, (void *)text);
	struct timespec t = as_timespec(units(timeout));
	start();
	const char *result = RESULT(recvmmsg(sockets[0], ready(), n, flags, timeout < 0 ? NULL : &t));
	int elapsed = after(asked);
	say("%s: %s after %d: '%s', lengths %u %u", what, result, elapsed, bytes, messages[0].msg_len, messages[1].msg_len);
	if (timeout >= 0)
		say("left: %d", (int)(ns_of(t) / units(1)));
	join(other);
}

static void *sends_in_vain(void *unused)
{
	nap(1.3);
	MUST(send(sockets[0], "x", 1, 0) == 1);
	return unused;
}

/* An error that comes after the first message is the next call's. */
static void refused(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof to;
	for (int i = 0; i < 2; i++) {
		sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
		MUST(bind(sockets[i], (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET,
			.sin_addr = to.sin_addr }, size) == 0);
	}
	for (int i = 0; i < 2; i++) {
		MUST(getsockname(sockets[!i], (struct sockaddr *)&to, &size) == 0);
		MUST(connect(sockets[i], (struct sockaddr *)&to, size) == 0);
	}
	MUST(send(sockets[1], "x", 1, 0) == 1 && close(sockets[1]) == 0);
	struct timespec t = as_timespec(units(5));
	pthread_t other = thread(sends_in_vain, NULL);
	REPORT(1, "an error after one", recvmmsg(sockets[0], ready(), 2, 0, &t));
	say("then: %s", RESULT(recvmmsg(sockets[0], ready(), 2, 0, &t)));
	join(other);
	close(sockets[0]);
}

int main(void)
{
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0);
	receive("no time-out", "ab", 2, 2, 0, -1);
	receive("one in time", "a", 1, 1, 0, 3);
	receive("two in time", "abc", 2, 5, 0, 2);
	receive("the rest", "", 0, 5, MSG_DONTWAIT, -1);
	receive("wait for one", "ab", 1, 5, MSG_WAITFORONE, -1);
	receive("wait for one, time-out", "a", 0, 5, MSG_WAITFORONE, 3.5);
	receive("none", "", 0, 0, 0, 3.5);
	struct timespec bad = { .tv_nsec = SECOND };
	say("bad time-out: %s", RESULT(recvmmsg(sockets[0], ready(), 5, 0, &bad)));
	say("bad descriptor: %s", RESULT(recvmmsg(-1, ready(), 5, 0, &(struct timespec){ .tv_sec = 1 })));

	limit(SO_RCVTIMEO, 2);
	receive("socket's limit", "", 2, 5, 0, -1);
	receive("socket's limit after one", "a", 3, 5, 0, -1);
	receive("both, the call's", "ab", 2, 5, 0, 2);
	receive("both, the socket's", "", 2, 5, 0, 9.5);

	int local[2] = { sockets[0], sockets[1] };
	refused();
	sockets[0] = local[0], sockets[1] = local[1];

	limit(SO_SNDTIMEO, 2);
	start();
	static char big[8192];
	ready();
	for (int i = 0; i < MANY; i++)
		parts[i] = (struct iovec){ big, sizeof big };
	int sent = sendmmsg(sockets[0], messages, MANY, 0);
	int elapsed = after(2);
	say("send: %s after %d, length %u", sent <= 0 ? name(errno) : sent < MANY ? "some" : "all", elapsed, messages[0].msg_len);
	REPORT(2, "full", sendmmsg(sockets[0], messages, MANY, 0));
	return 0;
}
