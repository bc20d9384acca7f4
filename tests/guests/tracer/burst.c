/* Many short sleeps, for which the tracer stays on the thread's processor: only as long as they follow each other. */
#include "guest.h"

/* The processors that a process may run on, as `status` has them. */
static void allowed(const char *pid, char list[64])
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%s/status", pid);
	FILE *file = fopen(path, "r");
	char line[256];
	while (fgets(line, sizeof line, file) != NULL)
		sscanf(line, "Cpus_allowed_list: %63s", list);
	fclose(file);
}

static void tracer(char pid[16])
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	while (fgets(line, sizeof line, file) != NULL)
		sscanf(line, "TracerPid: %15s", pid);
	fclose(file);
}

int main(void)
{
	const struct timespec shortest = { 0, 1 };
	char pid[16], own[64], tracers[64];
	for (int i = 0; i < 2000; i++)
		MUST(nanosleep(&shortest, NULL) == 0);
	/* Computes until the tracer expects nothing more. */
	for (clock_t until = clock() + CLOCKS_PER_SEC / 20; clock() < until;)
		;
	tracer(pid);
	allowed("self", own);
	allowed(strcmp(pid, "0") == 0 ? "self" : pid, tracers);
	say("the tracer may run where this program may: %d", strcmp(own, tracers) == 0);
	return 0;
}
