/* A child of vfork(2) computes while its parent is suspended: time must not pass, though the only thread that the session
 * knows of in the two processes sleeps in the kernel. Then it waits: time must pass. */
#include "guest.h"

/* Long against the patrols of whoever looks for threads that sleep, short against a unit. */
static void compute(void)
{
	int64_t end = now_on(CLOCK_THREAD_CPUTIME_ID) + 15000000;
	while (now_on(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

static void *sleeper(void *unused)
{
	start();
	nap(1.2);
	say("sleeper after %d", after(1.2));
	return unused;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		compute();
		return 7;
	}
	pthread_t t = thread(sleeper, NULL);
	start();
	int code;
	pid_t child = vfork();
	if (child == 0) {
		compute();
		_exit(5);
	}
	MUST(child > 0);
	code = reap(child);
	say("computed: %d after %d", code, after(0));
	join(t);

	t = thread(sleeper, NULL);
	start();
	child = vfork();
	if (child == 0) {
		execl("/proc/self/exe", argv[0], "compute", (char *)NULL);
		_exit(99);
	}
	MUST(child > 0);
	code = reap(child);
	say("executed: %d after %d", code, after(0));
	join(t);

	int ends[2];
	MUST(pipe(ends) == 0);
	t = thread(sleeper, NULL);
	start();
	child = vfork();
	if (child == 0) {
		/* Nobody writes; a signal ends it. */
		struct pollfd set = { .fd = ends[0], .events = POLLIN };
		_exit(poll(&set, 1, ms(2.2)) == 0 ? 6 : 98);
	}
	MUST(child > 0);
	code = reap(child);
	say("waited: %d after %d", code, after(2.2));
	join(t);
	return 0;
}
