/* popen's modes and streams, fclose of one, system in several threads and cancelled: as glibc has it. */
#include "guest.h"

static char sleeping[64];
/* The compiler knows that POSIX wants pclose. */
static int (*volatile closes)(FILE *) = fclose;

static void *runs(void *delay)
{
	nap((double)(intptr_t)delay / 2);
	return (void *)(intptr_t)system(sleeping);
}

static void *runs_long(void *unused)
{
	system("exec sleep 1000000");
	return unused;
}

int main(void)
{
	const char *bad[] = { "", "rb", "rw", "q" };
	for (int i = 0; i < 4; i++)
		say("mode \"%s\": %s", bad[i], (errno = 0, popen("true", bad[i])) ? "opened" : name(errno));

	char line[32];
	FILE *in = popen("echo a; exit 3", "re");
	MUST(in && fgets(line, sizeof line, in));
	int code = closes(in);
	say("%.1s, fclose: %d, children left: %s", line, code, RESULT(waitpid(-1, NULL, WNOHANG)));

	/* A stream whose number is the one that the next child's output goes to. */
	int out = dup(1);
	close(1);
	FILE *first = popen("true", "r"), *second = NULL;
	if (first)
		second = popen("echo hi", "r");
	char *got = second ? fgets(line, sizeof line, second) : NULL;
	code = second ? pclose(second) : -1;
	closes(first);
	dup2(out, 1);
	say("%s pclose %d", got ? "read" : "nothing", code);

	snprintf(sleeping, sizeof sleeping, "sleep %.3f", unit_ms() / 1000.0);
	pthread_t a = thread(runs, (void *)0), b = thread(runs, (void *)1);
	say("%d %d", (int)(intptr_t)join(a), (int)(intptr_t)join(b));
	struct sigaction action;
	sigaction(SIGINT, NULL, &action);
	say("SIGINT is %s", action.sa_handler == SIG_DFL ? "as before" : "changed");

	a = thread(runs_long, NULL);
	nap(1);
	pthread_cancel(a);
	say("cancelled %d", join(a) == PTHREAD_CANCELED);
	say("children left: %s", RESULT(waitpid(-1, NULL, WNOHANG)));
	return 0;
}
