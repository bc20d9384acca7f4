/* clock_gettime, clock_getres and the others: resolutions, clocks that do not exist, memory that is not there. */
#include "guest.h"

static const struct {
	const char *what;
	clockid_t id;
} clocks[] = {
	{ "REALTIME", CLOCK_REALTIME },
	{ "MONOTONIC", CLOCK_MONOTONIC },
	{ "PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID },
	{ "THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID },
	{ "MONOTONIC_RAW", CLOCK_MONOTONIC_RAW },
	{ "REALTIME_COARSE", CLOCK_REALTIME_COARSE },
	{ "MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE },
	{ "BOOTTIME", CLOCK_BOOTTIME },
	{ "REALTIME_ALARM", CLOCK_REALTIME_ALARM },
	{ "BOOTTIME_ALARM", CLOCK_BOOTTIME_ALARM },
	{ "TAI", CLOCK_TAI },
	{ "10", 10 },
	{ "12", 12 },
	{ "77", 77 },
	{ "-1", -1 },
	{ "greatest", 0x7fffffff },
	{ "least", -0x7fffffff - 1 },
};

int main(void)
{
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		GUARDED(struct timespec) now, resolution;
		guard(&now);
		guard(&resolution);
		const char *get = RESULT(clock_gettime(clocks[i].id, &now.value));
		const char *res = RESULT(clock_getres(clocks[i].id, &resolution.value));
		bool valid = strcmp(get, "0") == 0;
		say("%s: gettime %s, getres %s %lld, without a place %s", clocks[i].what, get, res,
		    strcmp(res, "0") == 0 ? (long long)ns_of(resolution.value) : -1, RESULT(clock_getres(clocks[i].id, NULL)));
		if (valid && (now.value.tv_nsec < 0 || now.value.tv_nsec >= SECOND || !guard_ok(&now)))
			say("FAIL not a time");
		if (!valid && !guard_untouched(&now))
			say("FAIL written on an error");
	}
	/* Through variables, or the compiler complains about what is tested here. */
	clockid_t volatile cpu = CLOCK_PROCESS_CPUTIME_ID;
	clockid_t other;
	struct timespec t;
	say("clock_getcpuclockid: %s", name(clock_getcpuclockid(0, &other)));
	say("its time: %s", RESULT(clock_gettime(other, &t)));
	MUST(pthread_getcpuclockid(pthread_self(), &other) == 0);
	say("a thread's: %s", RESULT(clock_gettime(other, &t)));
	say("process: %s", RESULT(clock_gettime(cpu, &t)));

	time_t place, *volatile none = NULL;
	struct timeval day;
	time_t now = time(&place);
	say("time: both the same %d, without a place %d", now == place, time(none) >= now);
	say("gettimeofday: %s", RESULT(gettimeofday(&day, NULL)));
	say("microseconds fine %d", day.tv_usec >= 0 && day.tv_usec < 1000000);
	struct timezone zone = { 7, 7 };
	MUST(gettimeofday(&day, &zone) == 0);
	say("the zone: %d %d", zone.tz_minuteswest, zone.tz_dsttime);
	say("timespec_get, other base: %d", timespec_get(&t, 77));
	errno = 77;
	now_on(CLOCK_MONOTONIC);
	time(NULL);
	gettimeofday(&day, NULL);
	say("errno is left alone: %d", errno == 77);
	return 0;
}
