/* Programs that find the vDSO's functions themselves read the same time as everybody: in threads, children, new images. */
#include "guest.h"
#include "vdso.h"

static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI };

static bool agrees(void)
{
	read_clock clock = own_vdso_function("__vdso_clock_gettime");
	read_day day = own_vdso_function("__vdso_gettimeofday");
	read_time whole = own_vdso_function("__vdso_time");
	bool all = true;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		int64_t before = now_on(ids[i]), its = now_by(clock, ids[i]), after = now_on(ids[i]);
		if (!BETWEEN(before, its, after))
			say("FAIL clock %d: %lld, %lld", ids[i], (long long)(its - before), (long long)(after - its));
		all = all && BETWEEN(before, its, after);
	}
	struct timeval now;
	int64_t before = now_on(CLOCK_REALTIME) / 1000;
	MUST(day(&now, NULL) == 0);
	int64_t after = now_on(CLOCK_REALTIME) / 1000;
	all = all && BETWEEN(before, now.tv_sec * 1000000 + now.tv_usec, after);
	/* The kernel's time() is that of the last tick. */
	time_t place, second = whole(&place);
	all = all && place == second && BETWEEN(before / 1000000 - 1, second, now_on(CLOCK_REALTIME) / SECOND);
	return all;
}

static void *in_thread(void *unused)
{
	say("in a thread: %d", agrees());
	nap(1);
	say("in a thread, later: %d", agrees());
	return unused;
}

static void *same(const char *name, const char *alias)
{
	void *function = own_vdso_function(name);
	say("%s is %s: %d", name, alias, function == own_vdso_function(alias));
	return function;
}

int main(int argc, char *argv[])
{
	(void)argv;
	if (argc > 1) {
		nap(1);
		say("in a new image: %d", agrees());
		return 0;
	}
	read_clock clock = same("__vdso_clock_gettime", "clock_gettime");
	read_day day = same("__vdso_gettimeofday", "gettimeofday");
	read_time whole = same("__vdso_time", "time");
	int (*resolution)(clockid_t, struct timespec *) = same("__vdso_clock_getres", "clock_getres");
	say("at first: %d", agrees());

	int64_t before = now_by(clock, CLOCK_MONOTONIC), on_wall = now_by(clock, CLOCK_REALTIME);
	time_t second = whole(NULL);
	nap(2);
	int64_t passed = now_by(clock, CLOCK_MONOTONIC) - before;
	if (passed < units(2))
		say("EARLY by %lld ns", (long long)(units(2) - passed));
	say("after a sleep of 2: %d", (int)(passed / units(1)));
	passed = now_by(clock, CLOCK_REALTIME) - on_wall;
	say("the wall clock too: %d", passed > units(2) - units(0.1) && passed < units(3));
	passed = (whole(NULL) - second) * SECOND;
	say("and its seconds: %d", passed > units(2) - 2 * SECOND && passed < units(3) + 2 * SECOND);

	/* What it answers is the kernel's, without errno. */
	static const clockid_t others[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, 10, 12, 31, 32, 77, -1, 0x7fffffff };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		GUARDED(struct timespec) now;
		guard(&now);
		errno = 0;
		int answer = clock(others[i], &now.value);
		say("clock %d: %s, errno %s", others[i], name(-answer), name(errno));
		if (answer == 0 ? !guard_ok(&now) : !guard_untouched(&now))
			say("FAIL written elsewhere");
	}
	struct timespec of_clock, of_libc;
	MUST(resolution(CLOCK_MONOTONIC, &of_clock) == 0 && clock_getres(CLOCK_MONOTONIC, &of_libc) == 0);
	say("the resolution: %d %lld", ns_of(of_clock) == ns_of(of_libc), (long long)ns_of(of_clock));
	struct timezone zone = { 7, 7 };
	say("nothing to fill in: %d, the zone alone: %d %d %d", day(NULL, NULL), day(NULL, &zone), zone.tz_minuteswest,
	    zone.tz_dsttime);

	join(thread(in_thread, NULL));
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(1);
		say("in a child: %d", agrees());
		execl("/proc/self/exe", "again", "again", NULL);
		_exit(98);
	}
	say("child: %d", reap(child));
	child = vfork();
	MUST(child >= 0);
	if (child == 0) {
		/* Shares the parent's memory, and reads the clock as the parent does. */
		struct timespec now;
		_exit(clock(CLOCK_MONOTONIC, &now) == 0 && ns_of(now) >= before ? 0 : 1);
	}
	say("child of vfork: %d", reap(child));
	say("afterwards: %d", agrees());
	return 0;
}
