/* A receiver with a small buffer: the sender's TCP holds back what would be too little for a segment, until a timer of the
 * kernel sends it all the same. Meanwhile both processes sleep, and a watchdog must not bark. Then a reader that does sleep:
 * for that nobody's timer counts. */
#include "guest.h"
#include <netinet/in.h>

enum { BYTES = 40000 };

static void connected(int ends[2], int buffer)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	MUST(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) == 0);
	MUST(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	MUST(connect(ends[0], (struct sockaddr *)&address, length) == 0);
	ends[1] = accept(listener, NULL, NULL);
	MUST(ends[1] >= 0);
	close(listener);
}

/* Sends, and is gone before all has arrived. */
static pid_t sender(int ends[2])
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		static char bytes[BYTES];
		close(ends[1]);
		MUST(write(ends[0], bytes, BYTES) == BYTES);
		_exit(0);
	}
	close(ends[0]);
	return child;
}

static void receive(int fd, bool naps)
{
	static char bytes[4096];
	int got = 0, barked = 0, times = 0;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		barked += poll(&p, 1, ms(100)) == 0;
		ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n == 0)
			break;
		got += n > 0 ? n : 0;
		if (naps && times++ < 10)
			nap(1);
	}
	say("%d bytes, the watchdog barked %d times", got, barked);
	close(fd);
}

int main(void)
{
	int ends[2];
	connected(ends, 2304);
	pid_t child = sender(ends);
	receive(ends[1], false);
	say("sender: %d", reap(child));

	connected(ends, 2304);
	child = sender(ends);
	start();
	receive(ends[1], true);
	say("ten naps: %s", in_time(10));
	say("sender: %d", reap(child));
	return 0;
}
