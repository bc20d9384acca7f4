/* posix_spawn and posix_spawnp of a program that sleeps; its actions and attributes; programs that do not exist. */
#include "guest.h"
#include <spawn.h>

extern char **environ;

static char seconds[32];
static char *sleeper[] = { "sleep", seconds, NULL };

int main(int argc, char **argv)
{
	if (argc > 1) {
		/* Says by descriptor 7 when it is done. */
		nap(atof(argv[1]));
		MUST(write(7, "x", 1) == 1);
		nap(1.3);
		return 8;
	}
	snprintf(seconds, sizeof seconds, "%.3f", unit_ms() / 1000.0 * 2);
	pid_t child;
	start();
	MUST((errno = posix_spawnp(&child, "sleep", NULL, NULL, sleeper, environ)) == 0);
	say("posix_spawnp: %d", reap(child));
	say("after %d", after(2));

	int pipes[2];
	char byte, *again[] = { argv[0], "2.3", NULL };
	MUST(pipe2(pipes, O_CLOEXEC) == 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 7);
	posix_spawnattr_t attributes;
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	MUST((errno = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, again, environ)) == 0);
	close(pipes[1]);
	REPORT(2, "it writes", read(pipes[0], &byte, 1));
	REPORT(1, "it ends", read(pipes[0], &byte, 1));
	say("posix_spawn: %d", reap(child));

	/* Without the environment the child still lives in the same time (and knows the usual unit only). */
	char *empty[] = { NULL };
	start();
	MUST((errno = posix_spawn(&child, "/bin/sleep", NULL, NULL, sleeper, empty)) == 0);
	say("empty environment: %d", reap(child));
	say("after %d", after(2));

	say("no such program: %s", name(posix_spawn(&child, "/nowhere/at/all", NULL, NULL, sleeper, environ)));
	say("no such program: %s", name(posix_spawnp(&child, "nothing-of-this-name", NULL, NULL, sleeper, environ)));
	say("nobody to wait for: %s", RESULT(wait(NULL)));

	/* Five at once take as long as one. */
	start();
	for (int i = 0; i < 5; i++)
		MUST((errno = posix_spawnp(&child, "sleep", NULL, NULL, sleeper, environ)) == 0);
	while (wait(NULL) > 0)
		;
	int elapsed = after(2);
	say("five: %s", elapsed < 8 ? "side by side" : "one after the other");
	return 0;
}
