/* A thread of this process that libc does not know is held by a tracer while the process gives up its user. Afterwards no
 * thread of it may have the former one. Says how many have. */
#include "../guest.h"
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

static uid_t user_of(const char *tid)
{
	char path[300], line[256];
	snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
	FILE *file = fopen(path, "r");
	unsigned user = 0;
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Uid: %u", &user) == 1)
			break;
	if (file)
		fclose(file);
	return user;
}

/* The first thread but the main one; 0 if there is none. */
static int another(int *former)
{
	DIR *tasks = opendir("/proc/self/task");
	int found = 0;
	for (struct dirent *entry; (entry = readdir(tasks));) {
		int tid = atoi(entry->d_name);
		if (tid && tid != getpid())
			found = tid;
		if (tid && former)
			*former += user_of(entry->d_name) == 0;
	}
	closedir(tasks);
	return found;
}

static double spent(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(void)
{
	char byte;
	/* The library starts its thread when the process waits for the first time. */
	MUST(read(0, &byte, 1) == 1);
	int tid = another(NULL), ready[2];
	MUST(pipe(ready) == 0);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (tid && fork() == 0) {
		MUST(ptrace(PTRACE_SEIZE, tid, 0, 0) == 0);
		MUST(ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0);
		MUST(waitpid(tid, NULL, __WALL) == tid);
		MUST(write(ready[1], "", 1) == 1);
		/* Held for longer than anybody is patient. */
		while (spent() < 2.5)
			;
		_exit(0);
	}
	if (tid)
		MUST(read(ready[0], &byte, 1) == 1);
	MUST(setuid(65534) == 0);
	int former = 0;
	another(&former);
	say("threads with the former user: %d", former);
	return 0;
}
