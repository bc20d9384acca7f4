/* What adjtimex refuses. Nothing here could set the machine's clock, whoever asks. */
#include "guest.h"
#include <grp.h>
#include <sys/timex.h>

static void ask(const char *who, const char *what, struct timex t)
{
	say("%s, %s: %s", who, what, RESULT(adjtimex(&t)));
}

static void refused(const char *who)
{
	long hz = sysconf(_SC_CLK_TCK);
	ask(who, "tick too short", (struct timex){ .modes = ADJ_TICK, .tick = 900000 / hz - 1 });
	ask(who, "tick too long", (struct timex){ .modes = ADJ_TICK, .tick = 1100000 / hz + 1 });
	ask(who, "adjtime's bit alone", (struct timex){ .modes = 0x8000 });
	ask(who, "too fast", (struct timex){ .modes = ADJ_FREQUENCY, .freq = INT64_MAX });
}

int main(void)
{
	refused("at first");
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		/* As nobody. */
		if (geteuid() == 0)
			MUST(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
		refused("as nobody");
		ask("as nobody", "status", (struct timex){ .modes = ADJ_STATUS });
		ask("as nobody", "frequency", (struct timex){ .modes = ADJ_FREQUENCY });
		ask("as nobody", "tick", (struct timex){ .modes = ADJ_TICK, .tick = 10000 });
		struct timex t = { 0 };
		say("as nobody, asked only: %d", adjtimex(&t) >= 0);
		fflush(stdout);
		_exit(0);
	}
	say("child: %d", reap(child));
	return 0;
}
