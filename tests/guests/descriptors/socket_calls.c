/* recv, recvfrom, recvmsg, recvmmsg and send, sendto, sendmsg, sendmmsg: on an empty or full socket pair whose other side sleeps. */
#include "guest.h"
#include <sys/un.h>

static int sockets[2];

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
	char bytes[4096];
	nap(1.3);
	/* All of it: the kernel lets a writer on only when half of the space is free. */
	while (recv(sockets[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	return unused;
}

static void *shutter(void *unused)
{
	nap(1.3);
	MUST(shutdown(sockets[1], SHUT_WR) == 0);
	return unused;
}

static void fill(void)
{
	char bytes[1024] = { 0 };
	while (send(sockets[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	MUST(errno == EAGAIN);
}

int main(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	char bytes[16] = { 0 };
	struct iovec part = { bytes, sizeof bytes };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct mmsghdr messages[2] = { { .msg_hdr = message }, { .msg_hdr = message } };

	pthread_t other = thread(sender, "abcde");
	REPORT(1, "recv", recv(sockets[0], bytes, 16, 0));
	say("%s", bytes);
	REPORT(1, "recvfrom", recvfrom(sockets[0], bytes, 16, 0, NULL, NULL));
	say("%s", bytes);
	REPORT(1, "recvmsg", recvmsg(sockets[0], &message, 0));
	say("%s", bytes);
	REPORT(1, "peek", recv(sockets[0], bytes, 16, MSG_PEEK));
	REPORT(0, "peeked", recv(sockets[0], bytes, 16, 0));
	say("%s", bytes);
	REPORT(1, "recvmmsg", recvmmsg(sockets[0], messages, 1, 0, NULL));
	say("%s", bytes);
	join(other);
	other = thread(sender, "xyz");
	REPORT(3, "wait for all", recv(sockets[0], bytes, 3, MSG_WAITALL));
	say("%s", bytes);
	join(other);
	REPORT(0, "don't wait", recv(sockets[0], bytes, 3, MSG_DONTWAIT));

	for (int how = 0; how < 4; how++) {
		static const char *const calls[] = { "send", "sendto", "sendmsg", "sendmmsg" };
		fill();
		other = thread(drainer, NULL);
		REPORT(1, calls[how], how == 0 ? send(sockets[0], bytes, 16, 0)
		                    : how == 1 ? sendto(sockets[0], bytes, 16, 0, NULL, 0)
		                    : how == 2 ? sendmsg(sockets[0], &message, 0)
		                               : sendmmsg(sockets[0], messages, 1, 0));
		join(other);
	}

	other = thread(shutter, NULL);
	REPORT(1, "end of file", recv(sockets[0], bytes, 16, 0));
	join(other);
	close(sockets[1]);
	say("nobody: %s", RESULT(send(sockets[0], bytes, 1, MSG_NOSIGNAL)));

	/* Datagrams with an address, from a process. */
	int mine = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof address;
	MUST(bind(mine, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
	MUST(getsockname(mine, (struct sockaddr *)&address, &length) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		int its = socket(AF_UNIX, SOCK_DGRAM, 0);
		for (int i = 0; i < 2; i++) {
			nap(1.3);
			MUST(sendto(its, "hello", 5, 0, (struct sockaddr *)&address, length) == 5);
		}
		_exit(0);
	}
	REPORT(1, "datagram", recvfrom(mine, bytes, 16, 0, NULL, NULL));
	REPORT(1, "datagram", recv(mine, bytes, 2, MSG_TRUNC));
	say("child %d", reap(child));
	return 0;
}
