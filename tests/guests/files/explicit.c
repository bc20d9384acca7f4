/* Times that a program names are read back as it has named them; now is the session's now. */
#include "files.h"
#include <sys/time.h>
#include <utime.h>

/* Named times are printed by themselves, others as ages. */
static void times_of(const char *what)
{
	nap(2);
	struct stat found = look("file");
	char access[40], modify[40];
	snprintf(access, sizeof access, found.st_atim.tv_sec < 1000000 ? "%lld" : "age", (long long)ns_of(found.st_atim));
	if (found.st_mtim.tv_sec < 1000000)
		snprintf(modify, sizeof modify, "%lld", (long long)ns_of(found.st_mtim));
	else
		snprintf(modify, sizeof modify, "age %d", age(found.st_mtim));
	say("%s: accessed %s, contents %s, inode %d", what, access, modify, age(found.st_ctim));
	nap(3);
}

int main(void)
{
	begin();
	fill("file", "text");
	int here = open(".", O_RDONLY), fd = open("file", O_RDWR);
	struct timespec named[2] = { { 1000, 1 }, { 2000, 2 } }, now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct timespec one[2] = { { 0, UTIME_OMIT }, { 3000, 3 } };
	struct timeval old[2] = { { 4000, 4 }, { 5000, 5 } };
	struct utimbuf older = { 6000, 7000 };
	nap(3);
	MUST(utimensat(here, "file", named, 0) == 0);
	times_of("utimensat");
	MUST(utimensat(here, "file", NULL, 0) == 0);
	times_of("utimensat, now");
	MUST(futimens(fd, named) == 0);
	times_of("futimens");
	MUST(futimens(fd, one) == 0);
	times_of("futimens, one of them");
	MUST(futimens(fd, now) == 0);
	times_of("futimens, now");
	MUST(utimes("file", old) == 0);
	times_of("utimes");
	MUST(lutimes("file", NULL) == 0);
	times_of("lutimes, now");
	MUST(futimes(fd, old) == 0);
	times_of("futimes");
	MUST(futimesat(here, "file", NULL) == 0);
	times_of("futimesat, now");
	MUST(utime("file", &older) == 0);
	times_of("utime");
	/* A time that lies ahead, and one in between: no clock of the machine was ever there. */
	struct timespec ahead[2] = { as_timespec(now_on(CLOCK_REALTIME) + units(100)), as_timespec(now_on(CLOCK_REALTIME) - units(1)) };
	MUST(futimens(fd, ahead) == 0);
	nap(2);
	struct stat found = look("file");
	say("ahead: %d, between: %d", ns_of(found.st_atim) == ns_of(ahead[0]), ns_of(found.st_mtim) == ns_of(ahead[1]));
	/* A copy keeps the times. */
	fill("copy", "copy");
	struct timespec kept[2] = { found.st_atim, found.st_mtim };
	MUST(utimensat(here, "copy", kept, 0) == 0);
	nap(2);
	say("copied: %d", ns_of(look("copy").st_mtim) == ns_of(look("file").st_mtim));
	MUST(write(fd, "x", 1) == 1);
	times_of("written");
	return end();
}
