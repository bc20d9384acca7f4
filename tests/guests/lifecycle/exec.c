/* execve from the main thread and from another one, with the environment emptied: the clocks go on, sleeping works. */
#include "guest.h"

/* The new image computes before anybody's constructor has run. No time passes meanwhile, though threads slept in the old. */
static void before_all(int argc, char **argv, char **env)
{
	(void)argv, (void)env;
	for (volatile long i = 0; argc == 4 && i < 30000000; i++)
		;
}
__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = before_all;

static char now_text[32], unit_text[32];
static char *program;

static void become(char *which)
{
	snprintf(now_text, sizeof now_text, "%lld", (long long)now_on(CLOCK_MONOTONIC));
	snprintf(unit_text, sizeof unit_text, "%lld", (long long)unit_ms());
	char *arguments[] = { program, which, now_text, unit_text, NULL }, *empty[] = { NULL };
	execve("/proc/self/exe", arguments, empty);
	say("FAIL execve: %s", name(errno));
	_exit(99);
}

static void *from_thread(void *unused)
{
	nap(1);
	become("from a thread");
	return unused;
}

static void *naps(void *unused)
{
	nap(1);
	return unused;
}

static void *sleeps(void *unused)
{
	/* Ended by the exec of another thread, in the middle of its sleep. */
	nap(100);
	say("FAIL still here");
	return unused;
}

int main(int argc, char **argv)
{
	if (argc == 4) {
		setenv("GUEST_UNIT_MS", argv[3], 1);
		int64_t passed = now_on(CLOCK_MONOTONIC) - atoll(argv[2]);
		/* Machines are slow at times, but not by seconds. */
		say("%s: the clock went on %d, and not far %d", argv[1], passed >= 0, passed < 5 * SECOND);
		REPORT(1, "sleep", ({ nap(1); 0; }));
		join(thread(naps, NULL));
		REPORT(1, "poll", poll(NULL, 0, ms(1)));
		return 5;
	}
	program = argv[0];
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(1);
		become("from main");
	}
	say("exit code %d", reap(child));
	say("after %d", after(4));

	start();
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		thread(sleeps, NULL);
		thread(from_thread, NULL);
		nap(200);
	}
	say("exit code %d", reap(child));
	say("after %d", after(4));

	/* A failed exec changes nothing. */
	char *arguments[] = { "x", NULL }, *empty[] = { NULL };
	say("no such program: %s", RESULT(execve("/nowhere/at/all", arguments, empty)));
	REPORT(1, "sleep", ({ nap(1); 0; }));
	return 0;
}
