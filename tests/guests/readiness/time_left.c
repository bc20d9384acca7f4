/* The system calls ppoll and pselect6 leave in their time-out what is left of it, whatever they answer. */
#include "guest.h"
#include <sys/select.h>
#include <sys/syscall.h>

static int pipes[2];

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

static long wait_by(long number, struct timespec *t)
{
	struct pollfd fd = { .fd = pipes[0], .events = POLLIN };
	fd_set in;
	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	if (number == SYS_ppoll)
		return syscall(number, &fd, 1, t, NULL, 8);
	return syscall(number, pipes[0] + 1, &in, NULL, NULL, t, NULL);
}

static void told(const char *what, long number, double asked, double n)
{
	struct timespec t = as_timespec(units(n));
	start();
	const char *result = RESULT(wait_by(number, &t));
	int elapsed = after(asked);
	say("%s: %s after %d, left %d", what, result, elapsed, (int)(ns_of(t) / units(1)));
}

int main(void)
{
	char byte;
	MUST(pipe(pipes) == 0);
	for (int i = 0; i < 2; i++) {
		long number = i ? SYS_pselect6 : SYS_ppoll;
		say("--- %s", i ? "pselect6" : "ppoll");
		told("late", number, 2, 2);
		told("at once", number, 0, 0);
		pthread_t other = thread(writer, NULL);
		told("in time", number, 1, 3.9);
		join(other);
		told("ready", number, 0, 3.9);
		MUST(read(pipes[0], &byte, 1) == 1);
	}
	return 0;
}
