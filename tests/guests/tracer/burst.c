/* Many short sleeps, for which a tracer may keep the thread on its own processor: only as long as they follow each other, and
 * nobody sees it. */
#include "guest.h"
#include <sched.h>

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

static void sleeps(int count)
{
	const struct timespec shortest = { 0, 1 };
	for (int i = 0; i < count; i++)
		MUST(nanosleep(&shortest, NULL) == 0);
}

static int may_run_on(void)
{
	cpu_set_t set;
	MUST(sched_getaffinity(0, sizeof set, &set) == 0);
	return CPU_COUNT(&set);
}

static char own[64];

/* So much that a fork takes longer than the tracer expects another call. */
static char large[64 << 20];

static void *as_before(void *who)
{
	char now[64];
	allowed("thread-self", now);
	say("%s: %d", (char *)who, strcmp(own, now) == 0);
	return NULL;
}

int main(void)
{
	char pid[16], tracers[64];
	int all = may_run_on();
	allowed("self", own);
	memset(large, 1, sizeof large);
	sleeps(2000);
	say("as many as before: %d", may_run_on() == all);
	sleeps(200);
	pid_t child = fork();
	if (child == 0) {
		as_before("a child");
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0) == child);
	sleeps(200);
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, as_before, "a thread") == 0);
	MUST(pthread_join(thread, NULL) == 0);

	cpu_set_t before, one;
	MUST(sched_getaffinity(0, sizeof before, &before) == 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sleeps(200);
	MUST(sched_setaffinity(0, sizeof one, &one) == 0);
	sleeps(200);
	say("on one: %d", may_run_on());
	MUST(sched_setaffinity(0, sizeof before, &before) == 0);
	sleeps(200);
	/* Computes until the tracer expects nothing more. */
	for (clock_t until = clock() + CLOCKS_PER_SEC / 20; clock() < until;)
		;
	as_before("in the end");
	tracer(pid);
	allowed(strcmp(pid, "0") == 0 ? "self" : pid, tracers);
	say("the tracer may run where this program may: %d", strcmp(own, tracers) == 0);
	return 0;
}
