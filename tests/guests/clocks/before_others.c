/* Reads and sleeps that come before any other code of the program, and in children between fork and exec. */
#include "guest.h"

static int64_t first, second;

static void earliest(void)
{
	first = now_on(CLOCK_MONOTONIC);
	struct timespec t = { 0, 1000 };
	nanosleep(&t, NULL);
	second = now_on(CLOCK_MONOTONIC);
}

/* Runs before all constructors, of libraries too. */
__attribute__((section(".preinit_array"), used)) static void (*const before)(void) = earliest;

int main(int argc, char **argv)
{
	(void)argc;
	if (argc > 1)
		return 3;
	say("before all constructors: %d", first > 0 && second - first >= 1000);
	say("and it went on from there: %d", now_on(CLOCK_MONOTONIC) >= second);
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		now_on(CLOCK_MONOTONIC);
		nap(1);
		execl("/proc/self/exe", argv[0], "again", NULL);
		_exit(99);
	}
	say("child %d", reap(child));
	say("after %d", after(1));
	return 0;
}
