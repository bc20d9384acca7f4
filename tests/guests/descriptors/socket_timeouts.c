/* SO_RCVTIMEO and SO_SNDTIMEO (socket(7)): EAGAIN when the time is over, the rest in time; also for read, write and accept. */
#include "guest.h"
#include <netinet/in.h>

static int sockets[2];
static pthread_t waiter;

static void limit(int fd, int option, double n)
{
	struct timeval t = as_timeval(units(n));
	MUST(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t) == 0);
}

static void *sender(void *unused)
{
	nap(1.3);
	MUST(send(sockets[1], "x", 1, 0) == 1);
	return unused;
}

static void *interrupter(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

static void nothing(int number)
{
	(void)number;
}

int main(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	char bytes[1024] = { 0 };
	struct iovec part = { bytes, 16 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	limit(sockets[0], SO_RCVTIMEO, 2);
	GUARDED(struct timeval) t;
	guard(&t);
	socklen_t length = sizeof t.value;
	MUST(getsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &t.value, &length) == 0);
	int64_t told = t.value.tv_sec * SECOND + t.value.tv_usec * 1000LL;
	/* The kernel counts in ticks of its own. */
	say("set %d, guards %d", told >= units(2) && told < units(2) + 20000000, guard_ok(&t));
	REPORT(2, "recv", recv(sockets[0], bytes, 16, 0));
	REPORT(2, "read", read(sockets[0], bytes, 16));
	REPORT(2, "recvmsg", recvmsg(sockets[0], &message, 0));
	REPORT(2, "recvfrom", recvfrom(sockets[0], bytes, 16, 0, NULL, NULL));
	pthread_t other = thread(sender, NULL);
	REPORT(1, "recv in time", recv(sockets[0], bytes, 16, 0));
	join(other);
	other = thread(sender, NULL);
	REPORT(2, "some, not all", recv(sockets[0], bytes, 16, MSG_WAITALL));
	join(other);
	REPORT(0, "don't wait", recv(sockets[0], bytes, 16, MSG_DONTWAIT));

	/* With a time-out even SA_RESTART does not start the call again (signal(7)). */
	waiter = pthread_self();
	on_signal(SIGUSR1, nothing, SA_RESTART);
	other = thread(interrupter, NULL);
	REPORT(1, "interrupted", recv(sockets[0], bytes, 16, 0));
	join(other);

	limit(sockets[0], SO_RCVTIMEO, 0);
	other = thread(sender, NULL);
	REPORT(1, "no limit again", recv(sockets[0], bytes, 16, 0));
	join(other);

	limit(sockets[0], SO_SNDTIMEO, 2);
	while (send(sockets[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	REPORT(2, "send", send(sockets[0], bytes, sizeof bytes, 0));
	REPORT(2, "write", write(sockets[0], bytes, sizeof bytes));

	/* A dup has the same limit, it is the socket's. */
	limit(sockets[1], SO_RCVTIMEO, 1);
	while (recv(sockets[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	int twin = dup(sockets[1]);
	REPORT(1, "dup", recv(twin, bytes, 16, 0));

	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	MUST(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
	limit(listener, SO_RCVTIMEO, 2);
	REPORT(2, "accept", accept(listener, NULL, NULL));
	REPORT(2, "accept4", accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	struct timeval bad = { 0, 1000000 }, negative = { -1, 0 };
	say("bad time: %s", RESULT(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof bad)));
	/* Negative is no waiting at all. */
	MUST(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &negative, sizeof negative) == 0);
	REPORT(0, "negative", accept(listener, NULL, NULL));
	return 0;
}
