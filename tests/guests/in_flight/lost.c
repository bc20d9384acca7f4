/* A segment is lost, here by a filter on the receiver's socket. The sender's kernel sends it again after a fifth of a second,
 * and until then both ends sleep; the watchdog must not bark. Also if the sender has closed its end, or is gone. */
#include "guest.h"
#include <linux/filter.h>
#include <netinet/in.h>

static void connected(int ends[2])
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	MUST(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	MUST(connect(ends[0], (struct sockaddr *)&address, length) == 0);
	ends[1] = accept(listener, NULL, NULL);
	MUST(ends[1] >= 0);
	close(listener);
}

/* From now on nothing reaches `fd`, or everything. */
static void deaf(int fd, bool on)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &none };
	MUST(setsockopt(fd, SOL_SOCKET, on ? SO_ATTACH_FILTER : SO_DETACH_FILTER, &program, sizeof program) == 0);
}

static void receive(const char *what, int fd, int many)
{
	char bytes[64];
	int barked = 0, got = 0;
	while (got < many) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, ms(200)) == 0 && ++barked == 3)
			break;
		ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n == 0)
			break;
		got += n > 0 ? n : 0;
	}
	say("%s: %d bytes, the watchdog barked %d times", what, got, barked);
}

int main(void)
{
	int ends[2];
	connected(ends);
	for (int i = 0; i < 3; i++) {
		deaf(ends[1], true);
		MUST(write(ends[0], "12345", 5) == 5);
		deaf(ends[1], false);
		receive("a segment", ends[1], 5);
		/* After an answer, and a nap that nothing holds up. */
		MUST(write(ends[1], "6", 1) == 1);
		receive("an answer", ends[0], 1);
		nap(1);
	}

	deaf(ends[1], true);
	MUST(send(ends[0], "78", 2, 0) == 2);
	close(ends[0]);
	deaf(ends[1], false);
	receive("closed", ends[1], 3);
	close(ends[1]);

	connected(ends);
	deaf(ends[1], true);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		close(ends[1]);
		MUST(write(ends[0], "90", 2) == 2);
		_exit(0);
	}
	close(ends[0]);
	reap(child);
	deaf(ends[1], false);
	receive("gone", ends[1], 3);
	return 0;
}
