/* Processes that are killed while they make another: what they held for it must be given back, or time stands still. */
#include "guest.h"

static void die(void)
{
	kill(getpid(), SIGKILL);
}

static void die_later(void)
{
	nap(1);
	kill(getppid(), SIGKILL);
}

/* A child of the killed one, if there is one, has this end of the pipe. */
static int ends[2];

static void creator(void (*before)(void), void (*in_child)(void))
{
	MUST(pipe(ends) == 0);
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		close(ends[0]);
		MUST(pthread_atfork(before, NULL, in_child) == 0);
		if (fork() == 0) {
			nap(1);
			say("the child of one that was killed ends");
			_exit(0);
		}
		nap(100);
		_exit(1);
	}
	close(ends[1]);
	int code = reap(child);
	say("killed: %d after %d", code, after(before ? 0 : 1));
	char byte;
	say("end of file: %s", RESULT(read(ends[0], &byte, 1)));
	close(ends[0]);
	nap(1);
	say("time has passed: %d", after(before ? 1 : 3));
}

int main(void)
{
	creator(die, NULL);
	creator(NULL, die_later);
	return 0;
}
