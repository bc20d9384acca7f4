/* FLAGS: -D_FORTIFY_SOURCE=2 */
/* The forms that gcc makes of poll, ppoll, read, recv and recvfrom when it checks sizes: __poll_chk, __ppoll_chk, __read_chk,
 * __recv_chk, __recvfrom_chk. They are used when the size of the array is known and the count is not. */
#include "guest.h"

static volatile int one = 1;
static int sockets[2];

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(sockets[1], "x", 1) == 1);
	return unused;
}

int main(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	struct pollfd p[4] = { { .fd = sockets[0], .events = POLLIN } };
	struct timespec two = as_timespec(units(2));
	char bytes[4];
	REPORT(2, "poll", poll(p, one, ms(2)));
	REPORT(2, "ppoll", ppoll(p, one, &two, NULL));
	pthread_t other = thread(writer, NULL);
	REPORT(1, "poll", poll(p, one, -1));
	REPORT(0, "read", read(sockets[0], bytes, one));
	join(other);
	other = thread(writer, NULL);
	REPORT(1, "ppoll", ppoll(p, one, NULL, NULL));
	REPORT(0, "recv", recv(sockets[0], bytes, one, 0));
	join(other);
	other = thread(writer, NULL);
	REPORT(1, "read", read(sockets[0], bytes, one));
	join(other);
	other = thread(writer, NULL);
	REPORT(1, "recv", recv(sockets[0], bytes, one, 0));
	join(other);
	other = thread(writer, NULL);
	REPORT(1, "recvfrom", recvfrom(sockets[0], bytes, one, 0, NULL, NULL));
	join(other);
	fd_set in;
	FD_ZERO(&in);
	FD_SET(sockets[0] * one, &in);
	struct timeval t = as_timeval(units(1));
	REPORT(1, "select", select(sockets[0] + 1, &in, NULL, NULL, &t));
	return 0;
}
