/* fork, _Fork, vfork, clone: the child sleeps before it goes on, whatever it shares with its parent. */
#include "guest.h"
#include <sched.h>
#include <sys/syscall.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int written;

static int cloned(void *n)
{
	struct timespec t = as_timespec(units((intptr_t)n));
	nanosleep(&t, NULL);
	written = 1;
	return 4;
}

static void ends_in(const char *what, pid_t child, double n, int code)
{
	MUST(child > 0);
	int got = reap(child);
	say("%s: %d after %d", what, got - code, after(n));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		nap(1);
		return 6;
	}
	start();
	pid_t child = fork();
	if (child == 0) {
		nap(2);
		_exit(1);
	}
	ends_in("fork", child, 2, 1);
	start();
	child = _Fork();
	if (child == 0) {
		nap(2);
		_exit(2);
	}
	ends_in("_Fork", child, 2, 2);

	/* The parent stands still until the child runs another program or ends. */
	start();
	child = vfork();
	if (child == 0) {
		struct timespec t = as_timespec(units(2));
		nanosleep(&t, NULL);
		_exit(3);
	}
	say("vfork, came back after %d", after(2));
	ends_in("vfork", child, 2, 3);
	start();
	child = vfork();
	if (child == 0) {
		execl("/proc/self/exe", argv[0], "again", NULL);
		_exit(99);
	}
	ends_in("vfork and exec", child, 1, 6);

	start();
	child = clone(cloned, stack + sizeof stack, SIGCHLD, (void *)2);
	ends_in("clone", child, 2, 4);
	say("written here: %d", written);
	start();
	child = clone(cloned, stack + sizeof stack, SIGCHLD | CLONE_VM | CLONE_VFORK, (void *)2);
	say("clone, came back after %d", after(2));
	ends_in("clone, memory shared", child, 2, 4);
	say("written here: %d", written);

	generations();
	return 0;
}
