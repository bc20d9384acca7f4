/* Unusual lives of a statically linked program: exec from a thread that is not the leader, children that want to escape, share
 * memory or have numbers of their own, a group that is stopped and continued. */
#include "guest.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static void *sleeps(void *unused)
{
	nap(1000);
	return unused;
}

static void *executes(void *unused)
{
	nap(1.3);
	execl("/proc/self/exe", "odd", "executed", NULL);
	_exit(99);
	return unused;
}

static void *ends(void *unused)
{
	nap(1.3);
	syscall(SYS_exit_group, 5);
	return unused;
}

static int naps(void *n)
{
	nap(*(double *)n);
	_exit(4);
}

static pid_t cloned(int flags, double *n)
{
	char *stack = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(stack != MAP_FAILED);
	return clone(naps, stack + (1 << 16), flags | SIGCHLD, n);
}

static void ended(const char *what, pid_t child, double asked)
{
	int code = child < 0 ? -1 : reap(child), elapsed = child < 0 ? 0 : after(asked);
	say("%s: %d after %d", what, code, elapsed);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		nap(1.3);
		return 6;
	}
	double length = 1.3;
	start();
	pid_t child = fork();
	if (child == 0) {
		thread(sleeps, NULL);
		thread(executes, NULL);
		nap(1000);
	}
	ended("exec from a thread", child, 2.6);

	start();
	child = fork();
	if (child == 0) {
		thread(sleeps, NULL);
		thread(ends, NULL);
		pthread_exit(NULL);
	}
	ended("leader gone, then exit_group", child, 1.3);

	start();
	ended("CLONE_UNTRACED", cloned(CLONE_UNTRACED, &length), 1.3);
	start();
	ended("CLONE_VFORK", cloned(CLONE_VM | CLONE_VFORK, &length), 1.3);
	start();
	ended("CLONE_FILES", cloned(CLONE_FILES | CLONE_FS, &length), 1.3);
	start();
	ended("CLONE_UNTRACED, CLONE_FILES", cloned(CLONE_UNTRACED | CLONE_FILES, &length), 1.3);

	/* Where it is allowed. */
	start();
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
			nap(1.3);
		else if ((child = fork()) == 0) {
			nap(1.3);
			_exit(getpid() == 1 ? 0 : 3);
		} else
			MUST(reap(child) == 0);
		_exit(7);
	}
	ended("namespaces", child, 1.3);

	/* All threads of a process stop and go on. */
	start();
	child = fork();
	if (child == 0) {
		pthread_t a = thread(ends, NULL);
		thread(sleeps, NULL);
		join(a);
	}
	nap(0.5);
	kill(child, SIGSTOP);
	int status;
	MUST(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	say("stopped after %d", after(0.5));
	nap(3);
	say("still there: %d", waitpid(child, &status, WNOHANG));
	kill(child, SIGCONT);
	ended("continued", child, 3.5);
	return 0;
}
