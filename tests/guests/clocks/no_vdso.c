/* A program that unmaps the kernel's vDSO, or moves it, and reads the clock by system calls from then on. (libc's own functions would
 * go to where it was.) */
#include "guest.h"
#include <sys/syscall.h>

static void *vdso;
static size_t size;

static void find(void)
{
	char line[256];
	unsigned long from, to;
	FILE *maps = fopen("/proc/self/maps", "r");
	MUST(maps);
	while (fgets(line, sizeof line, maps))
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &from, &to) == 2)
			vdso = (void *)from, size = to - from;
	fclose(maps);
	MUST(vdso);
}

static int64_t reads(void)
{
	struct timespec t;
	MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) == 0);
	return ns_of(t);
}

static void naps(const char *when)
{
	int64_t began = reads();
	nap(1.3);
	say("%s: %d", when, (int)((reads() - began) / units(1)));
}

static void child(const char *how)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (strcmp(how, "unmapped") == 0)
			MUST(munmap(vdso, size) == 0);
		else if (strcmp(how, "unmapped by number") == 0)
			MUST(syscall(SYS_munmap, vdso, size) == 0);
		else
			MUST(mremap(vdso, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
				    mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
		naps(how);
		_exit(0);
	}
	say("ended with %d", reap(pid));
}

int main(void)
{
	find();
	naps("before");
	child("unmapped");
	child("unmapped by number");
	child("moved");
	return 0;
}
