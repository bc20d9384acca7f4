/* Every call that asks for the times of a file gives the same answer. */
#include "files.h"
#include <sys/sysmacros.h>

static struct timespec known;

static void same(const char *what, int answer, struct timespec modified)
{
	say("%s: %d, %s", what, answer, ns_of(modified) == ns_of(known) ? "the same" : "another");
}

#define ASK(call, name, ...) \
	do { \
		struct stat found; \
		memset(&found, 0, sizeof found); \
		int answer = call; \
		same(name, answer, found.st_mtim); \
	} while (0)

#define ASK64(call, name, ...) \
	do { \
		struct stat64 found; \
		memset(&found, 0, sizeof found); \
		int answer = call; \
		same(name, answer, found.st_mtim); \
	} while (0)

int main(void)
{
	begin();
	fill("file", "text");
	int here = open(".", O_RDONLY), fd = open("file", O_RDWR);
	nap(3);
	MUST(write(fd, "x", 1) == 1);
	nap(2);
	known = look("file").st_mtim;
	say("age: %d", age(known));
	ASK(stat("file", &found), "stat");
	ASK(lstat("file", &found), "lstat");
	ASK(fstat(fd, &found), "fstat");
	ASK(fstatat(here, "file", &found, 0), "fstatat");
	ASK64(stat64("file", &found), "stat64");
	ASK64(lstat64("file", &found), "lstat64");
	ASK64(fstat64(fd, &found), "fstat64");
	ASK64(fstatat64(here, "file", &found, 0), "fstatat64");
	struct statx found;
	int answer = statx(here, "file", 0, STATX_BASIC_STATS | STATX_BTIME, &found);
	same("statx", answer, (struct timespec){ found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec });
	if (found.stx_mask & STATX_BTIME)
		say("born: %d", age((struct timespec){ found.stx_btime.tv_sec, found.stx_btime.tv_nsec }) == 5);
	else
		say("born: 1");
	say("nowhere: %s %s", RESULT(stat("nowhere", &(struct stat){ 0 })), RESULT(fstat(-1, &(struct stat){ 0 })));
	say("before the session: %d", look("/").st_mtim.tv_sec < time(NULL));
	return end();
}
