/* A statically linked program and its children: threads, forked ones, and dynamically linked programs, which join by
 * themselves, also with an empty environment and from a thread that is not the leader. */
#include "guest.h"
#include <spawn.h>

static void *naps(void *times)
{
	for (long i = 0; i < (long)times; i++)
		nap(1);
	return NULL;
}

static char *seconds(double n)
{
	static __thread char text[32];
	snprintf(text, sizeof text, "%.3f", (double)units(n) / 1e9);
	return text;
}

static void become_sleep(double n, char **environment)
{
	char *arguments[] = { "sleep", seconds(n), NULL };
	execve("/bin/sleep", arguments, environment);
	_exit(99);
}

static void *becomes_sleep(void *unused)
{
	nap(1);
	become_sleep(2, environ);
	return unused;
}

static pid_t forked(void)
{
	pid_t child = fork();
	MUST(child >= 0);
	return child;
}

static void ended(const char *what, pid_t child, double asked)
{
	int code = reap(child), elapsed = after(asked);
	say("%s: %d after %d", what, code, elapsed);
}

int main(void)
{
	pthread_t threads[8];
	start();
	for (long i = 0; i < 8; i++)
		threads[i] = thread(naps, (void *)(i % 4 + 1));
	for (int i = 0; i < 8; i++)
		join(threads[i]);
	say("threads: after %d", after(4));

	start();
	pid_t child = forked();
	if (child == 0) {
		nap(2);
		_exit(3);
	}
	ended("forked", child, 2);

	start();
	child = vfork();
	if (child == 0)
		become_sleep(3, environ);
	ended("dynamic after vfork", child, 3);

	start();
	child = forked();
	if (child == 0)
		become_sleep(2, (char *[]){ NULL });
	ended("dynamic, empty environment", child, 2);

	start();
	child = forked();
	if (child == 0) {
		thread(becomes_sleep, NULL);
		nap(100);
	}
	ended("dynamic, from a thread", child, 3);

	start();
	char *arguments[] = { "sh", "-c", "sleep $0; sleep $0", seconds(1), NULL };
	MUST(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0);
	ended("spawned shell", child, 2);
	return 0;
}
