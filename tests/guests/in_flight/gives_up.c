/* TCP_USER_TIMEOUT: TCP gives a connection up whose reader does not read for so long. The kernel counts that. */
#include "guest.h"
#include <netinet/in.h>
#include <netinet/tcp.h>

static int ends[2];

static void *reader(void *unused)
{
	static char bytes[65536];
	struct timespec left = as_timespec(3 * SECOND);
	while (nanosleep(&left, &left) != 0)
		;
	while (read(ends[1], bytes, sizeof bytes) > 0)
		;
	return unused;
}

int main(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), buffer = 2304;
	unsigned limit = 600;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	MUST(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) == 0);
	MUST(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	MUST(setsockopt(ends[0], IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit) == 0);
	MUST(connect(ends[0], (struct sockaddr *)&address, length) == 0);
	ends[1] = accept(listener, NULL, NULL);
	MUST(ends[1] >= 0);
	pthread_t other = thread(reader, NULL);
	static char bytes[8 << 20];
	ssize_t sent, all = 0;
	while ((sent = send(ends[0], bytes, sizeof bytes, MSG_NOSIGNAL)) > 0 && all < 100 << 20)
		all += sent;
	say("sender: %s", text_of(sent < 0 ? sent : 0));
	close(ends[0]);
	join(other);
	return 0;
}
