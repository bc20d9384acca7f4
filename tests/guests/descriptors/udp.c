/* Datagrams over the loopback interface between processes that sleep, with a receive time-out that sometimes wins. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static int bound(struct sockaddr_in *address)
{
	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof *address;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	MUST(bind(fd, (struct sockaddr *)address, length) == 0);
	MUST(getsockname(fd, (struct sockaddr *)address, &length) == 0);
	return fd;
}

int main(void)
{
	struct sockaddr_in mine, its, from;
	int fd = bound(&mine), other = bound(&its);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		/* Answers each request one unit later than the one before. */
		char c;
		for (int i = 1; i <= 3; i++) {
			socklen_t length = sizeof from;
			MUST(recvfrom(other, &c, 1, 0, (struct sockaddr *)&from, &length) == 1);
			nap(i + 0.3);
			MUST(sendto(other, &c, 1, 0, (struct sockaddr *)&from, length) == 1);
		}
		_exit(0);
	}
	struct timeval t = as_timeval(units(2.8));
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
	for (int i = 1; i <= 3; i++) {
		char c;
		MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&its, sizeof its) == 1);
		REPORT(i < 3 ? i : 2.8, "request", recv(fd, &c, 1, 0));
	}
	char c;
	say("the late answer: %s", RESULT(recv(fd, &c, 1, 0)));
	say("child %d", reap(child));
	return 0;
}
