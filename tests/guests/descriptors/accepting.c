/* accept and connect that block: a client that comes late, a backlog that is full, a shutdown from another thread. */
#include "guest.h"
#include <sys/un.h>

static int listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t length = sizeof address;

static int connected(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, length) != 0)
		return -1;
	return fd;
}

static void *late_client(void *unused)
{
	nap(1.3);
	MUST(connected() >= 0);
	return unused;
}

static void *late_server(void *unused)
{
	nap(1.3);
	MUST(accept(listener, NULL, NULL) >= 0);
	return unused;
}

static void *shutter(void *unused)
{
	nap(1.3);
	MUST(shutdown(listener, SHUT_RDWR) == 0);
	return unused;
}

int main(void)
{
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	MUST(listen(listener, 1) == 0);

	struct sockaddr_un peer;
	socklen_t peer_length = sizeof peer;
	pthread_t other = thread(late_client, NULL);
	REPORT(1, "accept", accept(listener, (struct sockaddr *)&peer, &peer_length) < 0);
	say("an unnamed peer: %d", peer_length == sizeof peer.sun_family);
	join(other);
	other = thread(late_client, NULL);
	REPORT(1, "accept4", accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0);
	join(other);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		late_client(NULL);
		_exit(0);
	}
	REPORT(1, "a process connects", accept(listener, NULL, NULL) < 0);
	say("child %d", reap(child));

	/* A backlog of one holds two; the third waits until one is accepted. */
	MUST(connected() >= 0 && connected() >= 0);
	other = thread(late_server, NULL);
	REPORT(1, "connect to a full backlog", connected() < 0);
	join(other);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timeval t = as_timeval(units(2));
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0);
	REPORT(2, "connect with a limit", connect(fd, (struct sockaddr *)&address, length));

	MUST(accept(listener, NULL, NULL) >= 0 && accept(listener, NULL, NULL) >= 0);
	other = thread(shutter, NULL);
	REPORT(1, "shut down", accept(listener, NULL, NULL));
	join(other);
	say("not listening: %s", RESULT(accept(fd, NULL, NULL)));
	say("not a socket: %s", RESULT(accept(1, NULL, NULL)) ? "an error" : "");
	close(listener);
	say("nobody: %s", RESULT(connect(fd, (struct sockaddr *)&address, length)));
	return 0;
}
