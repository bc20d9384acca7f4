/* pthread_exit of the main thread: the process lives on until the last thread ends, and then ends with 0. */
#include "guest.h"

static pthread_t main_thread;
static int64_t begin;

static void at_exit(void)
{
	started = begin;
	say("atexit: after %d", after(3));
}

static void *waits(void *unused)
{
	started = begin;
	const char *result = name(pthread_join(main_thread, NULL));
	say("main joined: %s after %d", result, after(1));
	return unused;
}

static void *sleeps(void *n)
{
	started = begin;
	nap((intptr_t)n);
	say("thread %d: after %d", (int)(intptr_t)n, after((intptr_t)n));
	return NULL;
}

int main(void)
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child > 0) {
		int code = reap(child);
		say("exit code %d", code);
		return 0;
	}
	atexit(at_exit);
	start();
	begin = started;
	main_thread = pthread_self();
	thread(sleeps, (void *)2);
	thread(sleeps, (void *)3);
	thread(waits, NULL);
	nap(1);
	pthread_exit(NULL);
}
