/* A server whose queue is short and that accepts late, and eight clients at once: of some the kernel drops the start of the
 * connection, and repeats it after a second. Each gets its answer long before its time-out. */
#include "guest.h"
#include <netinet/in.h>

enum { CLIENTS = 8 };

static struct sockaddr_in address = { .sin_family = AF_INET };

static void *client(void *blocks)
{
	int fd = socket(AF_INET, SOCK_STREAM | (blocks ? 0 : SOCK_NONBLOCK), 0);
	int started = connect(fd, (struct sockaddr *)&address, sizeof address);
	MUST(started == 0 || errno == EINPROGRESS);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	if (poll(&p, 1, ms(400)) != 1)
		return "not connected";
	char byte = 'a';
	if (write(fd, &byte, 1) != 1)
		return "not written";
	p.events = POLLIN;
	if (poll(&p, 1, ms(400)) != 1)
		return "no answer";
	if (read(fd, &byte, 1) != 1)
		return "reset";
	close(fd);
	return NULL;
}

static int server(int listener)
{
	nap(2);
	for (int i = 0; i < CLIENTS; i++) {
		int fd = accept(listener, NULL, NULL);
		MUST(fd >= 0);
		char byte;
		MUST(read(fd, &byte, 1) == 1);
		MUST(write(fd, &byte, 1) == 1);
		close(fd);
	}
	return 0;
}

int main(void)
{
	for (int blocks = 0; blocks < 2; blocks++) {
		int listener = socket(AF_INET, SOCK_STREAM, 0);
		socklen_t length = sizeof address;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.sin_port = 0;
		MUST(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
		MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0)
			_exit(server(listener));
		close(listener);
		pthread_t clients[CLIENTS];
		for (int i = 0; i < CLIENTS; i++)
			clients[i] = thread(client, blocks ? &address : NULL);
		for (int i = 0; i < CLIENTS; i++) {
			const char *wrong = join(clients[i]);
			if (wrong)
				say("client %d: %s", i, wrong);
		}
		say("%s: server %d", blocks ? "blocking" : "not blocking", reap(child));
	}
	return 0;
}
