/* A TCP server that accepts late and answers late, and its client, in two processes; then twenty naps and answers. */
#include "guest.h"
#include <netinet/in.h>
#include <netinet/tcp.h>

static struct sockaddr_in address;

/* Whether a socket holds bytes back, as it says itself. */
static const char *delays(int fd)
{
	int value = 7;
	socklen_t size = sizeof value;
	MUST(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0 && size == sizeof value);
	return value ? "no" : "yes";
}

static void set_delays(int fd, int on)
{
	int value = !on;
	MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value) == 0);
}

static int client(void)
{
	start();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *at_first = delays(fd);
	set_delays(fd, 0);
	const char *then = delays(fd);
	set_delays(fd, 1);
	say("client: delays %s, %s, %s", at_first, then, delays(fd));
	MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	char c = 'a';
	MUST(send(fd, &c, 1, 0) == 1 && recv(fd, &c, 1, 0) == 1);
	say("client: %c after %d", c, after(3));

	/* Two small writes and a wait for the answer: the second is held back until the first is acknowledged (Nagle). */
	start();
	for (int i = 0; i < 20; i++) {
		MUST(send(fd, "12", 2, 0) == 2 && send(fd, "34", 2, 0) == 2);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		MUST(poll(&p, 1, ms(50)) == 1);
		MUST(recv(fd, &c, 1, 0) == 1);
		nap(0.1);
	}
	after(4);
	MUST(shutdown(fd, SHUT_WR) == 0);
	REPORT(1, "client: end", recv(fd, &c, 1, 0));
	return 0;
}

int main(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	MUST(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
	MUST(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0)
		_exit(client());
	nap(1.3);
	int fd = accept(listener, NULL, NULL);
	MUST(fd >= 0);
	nap(2);
	char bytes[4];
	MUST(recv(fd, bytes, 1, 0) == 1);
	bytes[0]++;
	MUST(send(fd, bytes, 1, 0) == 1);
	for (int i = 0; i < 20; i++) {
		MUST(recv(fd, bytes, 4, MSG_WAITALL) == 4);
		nap(0.1);
		MUST(send(fd, bytes, 1, 0) == 1);
	}
	say("server: end %zd", recv(fd, bytes, 1, 0));
	nap(1.3);
	close(fd);
	say("server: client %d", reap(child));
	return 0;
}
