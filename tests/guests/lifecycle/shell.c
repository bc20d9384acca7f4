/* system and popen: the shell's sleep passes for the caller as well. */
#include "guest.h"

static char command[128];

static const char *sleeping(double n, const char *then)
{
	snprintf(command, sizeof command, "sleep %.3f; %s", unit_ms() / 1000.0 * n, then);
	return command;
}

int main(void)
{
	REPORT(2, "system", system(sleeping(2, "true")));
	int status = system(sleeping(1, "exit 3"));
	say("exit code %d", WEXITSTATUS(status));
	status = system(sleeping(1, "kill -TERM $$"));
	say("signal %d", WTERMSIG(status));
	say("a shell: %d", system(NULL) != 0);

	char line[32];
	FILE *in = NULL;
	REPORT(0, "popen", (in = popen(sleeping(2.3, "echo hello; exit 4"), "r")) == NULL);
	REPORT(2, "fgets", fgets(line, sizeof line, in) == NULL);
	say("%.5s", line);
	status = pclose(in);
	say("pclose: %d", WEXITSTATUS(status));
	FILE *out = popen(sleeping(2.3, "cat"), "w");
	fputs("through cat\n", out);
	REPORT(2, "pclose", pclose(out));

	/* A pipeline, a background job and its wait. */
	snprintf(command, sizeof command, "sleep %g & (sleep %g; echo piped) | cat; wait", unit_ms() / 500.0, unit_ms() / 1000.0);
	REPORT(2, "pipeline", system(command));
	return 0;
}
