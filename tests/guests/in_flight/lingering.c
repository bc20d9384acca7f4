/* close(2) with SO_LINGER waits for a reader, for as many seconds as the program says. The kernel counts them. */
#include "guest.h"
#include <netinet/in.h>

static int ends[2];

static void *reader(void *seconds)
{
	static char bytes[65536];
	struct timespec left = as_timespec(*(int64_t *)seconds);
	while (nanosleep(&left, &left) != 0)
		;
	ssize_t n;
	while ((n = read(ends[1], bytes, sizeof bytes)) > 0)
		;
	close(ends[1]);
	return NULL;
}

static void linger(int64_t reads_after)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), buffer = 2304;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	MUST(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) == 0);
	MUST(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	struct linger lingers = { .l_onoff = 1, .l_linger = 1 };
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &lingers, sizeof lingers) == 0);
	MUST(connect(ends[0], (struct sockaddr *)&address, length) == 0);
	ends[1] = accept(listener, NULL, NULL);
	MUST(ends[1] >= 0);
	close(listener);
	static char bytes[20000];
	MUST(send(ends[0], bytes, sizeof bytes, 0) == sizeof bytes);
	pthread_t other = thread(reader, &reads_after);
	int64_t began = now_on(CLOCK_MONOTONIC);
	MUST(close(ends[0]) == 0);
	int64_t took = now_on(CLOCK_MONOTONIC) - began;
	say("a reader after %.1f s: closed after %s", reads_after / 1e9,
	    took < SECOND * 95 / 100 ? "less than a second" : took < 2 * SECOND ? "a second" : "too long");
	join(other);
}

int main(void)
{
	linger(3 * SECOND);
	linger(0);
	return 0;
}
