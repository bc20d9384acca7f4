/* read and readv on an empty pipe: data and the end of file come from threads and processes that sleep. */
#include "guest.h"
#include <sys/uio.h>

static int pipes[2];

static void *writer(void *text)
{
	nap(1.3);
	MUST(write(pipes[1], text, strlen(text)) == (ssize_t)strlen(text));
	return NULL;
}

static pid_t child_writes(const char *text)
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		writer((void *)text);
		nap(1.3);
		_exit(0);
	}
	return child;
}

int main(void)
{
	GUARDED(char[8]) g;
	guard(&g);
	MUST(pipe(pipes) == 0);
	pthread_t other = thread(writer, "thread");
	REPORT(1, "read", read(pipes[0], g.value, 8));
	say("%.6s, guards %d", g.value, guard_ok(&g));
	join(other);
	char first[3], second[8];
	struct iovec parts[2] = { { first, 3 }, { second, 8 } };
	other = thread(writer, "scattered");
	REPORT(1, "readv", readv(pipes[0], parts, 2));
	say("%.3s %.6s", first, second);
	join(other);
	pid_t child = child_writes("process");
	REPORT(1, "from a process", read(pipes[0], g.value, 8));
	say("%.7s", g.value);
	/* The child keeps its end for a while longer; that it sleeps is no reason for an end of file. */
	close(pipes[1]);
	REPORT(1, "until the last writer is gone", read(pipes[0], g.value, 8) == 0 ? 0 : 1);
	say("child %d", reap(child));

	MUST(pipe(pipes) == 0);
	MUST(fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
	REPORT(0, "nothing, non-blocking", read(pipes[0], g.value, 8));
	MUST(fcntl(pipes[0], F_SETFL, 0) == 0);
	char *volatile nowhere = (char *)8;
	MUST(write(pipes[1], "x", 1) == 1);
	say("no memory: %s", RESULT(read(pipes[0], nowhere, 1)));
	say("not open: %s", RESULT(read(900, g.value, 1)));
	say("the wrong end: %s", RESULT(read(pipes[1], g.value, 1)));

	/* A relay of processes: each sleeps a unit and passes on what it got. */
	int in = pipes[0], out = pipes[1];
	MUST(read(in, g.value, 1) == 1);
	start();
	for (int i = 0; i < 4; i++) {
		int next[2];
		MUST(pipe(next) == 0);
		child = fork();
		MUST(child >= 0);
		if (child == 0) {
			char c;
			MUST(read(in, &c, 1) == 1);
			nap(1);
			c++;
			MUST(write(next[1], &c, 1) == 1);
			_exit(0);
		}
		in = next[0];
	}
	MUST(write(out, "a", 1) == 1);
	MUST(read(in, g.value, 1) == 1);
	say("relay: %c after %d", g.value[0], after(4));
	while (wait(NULL) > 0)
		;
	return 0;
}
