/* Clock functions asked of a library's handle, and of a second copy of libc: the same time as by those linked. */
#include "guest.h"
#include "vdso.h"
#include <dlfcn.h>

static void compare(const char *where, void *handle)
{
	read_clock clock = dlsym(handle, "clock_gettime");
	read_day day = dlsym(handle, "gettimeofday");
	read_time whole = dlsym(handle, "time");
	MUST(clock && day && whole);
	for (int round = 0; round < 2; round++) {
		int64_t before = now_on(CLOCK_MONOTONIC), its = now_by(clock, CLOCK_MONOTONIC), after = now_on(CLOCK_MONOTONIC);
		say("%s, monotonic: %d", where, BETWEEN(before, its, after));
		struct timeval now;
		before = now_on(CLOCK_REALTIME);
		its = now_by(clock, CLOCK_REALTIME);
		MUST(day(&now, NULL) == 0);
		time_t second = whole(NULL);
		after = now_on(CLOCK_REALTIME);
		say("%s, the wall clock: %d %d %d", where, BETWEEN(before, its, after),
		    BETWEEN(before / 1000, now.tv_sec * 1000000 + now.tv_usec, after / 1000),
		    BETWEEN(before / SECOND - 1, second, after / SECOND));
		nap(1);
	}
	int64_t before = now_by(clock, CLOCK_MONOTONIC);
	nap(2);
	int64_t passed = now_by(clock, CLOCK_MONOTONIC) - before;
	say("%s, after a sleep of 2: %d", where, (int)(passed / units(1)));
}

int main(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	MUST(libc);
	compare("handle", libc);
	void *second = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
	MUST(second);
	say("another libc: %d", dlsym(second, "clock_gettime") != dlsym(libc, "clock_gettime"));
	compare("second libc", second);
	return 0;
}
