/* A port that an old connection holds: who tries again gets it when the kernel forgets the connection, which it does by real
 * time; here after a second, because the connection's other end stays open and TCP_LINGER2 says so. */
#include "guest.h"
#include <netinet/in.h>
#include <netinet/tcp.h>

static struct sockaddr_in address = { .sin_family = AF_INET };

static int listening(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	MUST(listener >= 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) {
		MUST(errno == EADDRINUSE);
		close(listener);
		return -1;
	}
	MUST(listen(listener, 5) == 0);
	return listener;
}

int main(void)
{
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = listening(), seconds = 1;
	socklen_t length = sizeof address;
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	MUST(connect(client, (struct sockaddr *)&address, length) == 0);
	int server = accept(listener, NULL, NULL);
	MUST(server >= 0 && setsockopt(server, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof seconds) == 0);
	close(server);
	close(listener);
	int tries = 0;
	struct timespec pause = as_timespec(SECOND / 10);
	while ((listener = listening()) < 0 && ++tries < 50)
		nanosleep(&pause, NULL);
	say("%s", listener < 0 ? "never" : tries < 5 ? "too soon" : "after a while");
	close(listener);
	/* A port that somebody uses holds up nobody. */
	address.sin_port = 0;
	listener = listening();
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	for (tries = 0; tries < 3; tries++) {
		MUST(listening() < 0);
		nap(1);
	}
	say("in use: %d tries", tries);
	return 0;
}
