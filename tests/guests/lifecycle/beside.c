/* A child of clone(2) that shares memory and thread-local storage computes and then sleeps beside its parent, while others
 * send signals and sleep; then processes that come after one another, as ever. */
#include "guest.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));

static int sleeps(void *arg)
{
	(void)arg;
	/* By now the parent waits: two who share thread-local storage take turns at calling libc. */
	for (volatile int i = 0; i < 100000000; i++)
		;
	struct timespec t = as_timespec(units(3));
	nanosleep(&t, NULL);
	return 4;
}

int main(void)
{
	start();
	pid_t sender = fork();
	if (sender == 0) {
		for (int i = 0; i < 20; i++) {
			nap(0.1);
			MUST(kill(getpid(), SIGCONT) == 0);
		}
		_exit(1);
	}
	pid_t child = clone(sleeps, stack + sizeof stack, SIGCHLD | CLONE_VM, NULL);
	MUST(child > 0);
	int ended = reap(child);
	say("beside me: %d after %d", ended, after(3));
	say("the sender: %d", reap(sender));

	generations();
	return 0;
}
