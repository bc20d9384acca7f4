/* All ways to end with threads that sleep and wait: the exit code arrives, at once. */
#include "guest.h"
#include <semaphore.h>
#include <sys/resource.h>

static sem_t never;
static int *volatile nowhere = (int *)8;

static void *sleeps(void *unused)
{
	nap(1000);
	return unused;
}

static void *waits(void *unused)
{
	sem_wait(&never);
	return unused;
}

static void *ends(void *row)
{
	nap(1.3);
	switch ((intptr_t)row) {
	case 0: exit(10);
	case 1: _exit(11);
	case 2: quick_exit(12);
	case 3: abort();
	case 4: raise(SIGTERM); break;
	case 5: *nowhere = 1; break;
	case 6: kill(getpid(), SIGKILL); break;
	}
	return NULL;
}

static void at_exit(void)
{
	say("atexit");
	nap(1);
}

static void at_quick_exit_handler(void)
{
	say("at_quick_exit");
	nap(1);
}

int main(void)
{
	static const char *const rows[] = { "exit", "_exit", "quick_exit", "abort", "SIGTERM", "SIGSEGV", "SIGKILL", "return" };
	/* Core files of the crashes are of no use to anybody. */
	MUST(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) == 0);
	MUST(sem_init(&never, 0, 0) == 0);
	for (intptr_t row = 0; row < 8; row++) {
		start();
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0) {
			atexit(at_exit);
			at_quick_exit(at_quick_exit_handler);
			thread(sleeps, NULL);
			thread(waits, NULL);
			thread(ends, (void *)row);
			nap(row == 7 ? 1.3 : 1000);
			return 17;
		}
		int code = reap(child);
		say("%s: %d after %d", rows[row], code, after(1));
	}
	return 0;
}
