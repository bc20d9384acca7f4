/* adjtimex and its other names: steps are the session's, what is read agrees with the clock. */
#include "guest.h"
#include <sys/syscall.h>
#include <sys/timex.h>

static const int64_t offset = 1000000 * SECOND, tolerance = 2 * SECOND;

static int64_t told_by(const struct timex *t)
{
	return t->time.tv_sec * SECOND + t->time.tv_usec * (t->status & STA_NANO ? 1 : 1000);
}

static void agrees(const char *what, int64_t told)
{
	int64_t ahead = told - now_on(CLOCK_REALTIME);
	say("%s: %d", what, ahead > -tolerance && ahead < tolerance);
}

static void moved(const char *what, int64_t before, int64_t by)
{
	int64_t more = now_on(CLOCK_REALTIME) - before - by;
	say("%s: moved %d", what, more > -tolerance && more < tolerance);
}

int main(void)
{
	int64_t wall = now_on(CLOCK_REALTIME);
	struct timespec far = as_timespec(wall + offset);
	MUST(clock_settime(CLOCK_REALTIME, &far) == 0);
	struct timex t = { 0 };
	MUST(adjtimex(&t) >= 0);
	agrees("adjtimex", told_by(&t));
	t = (struct timex){ 0 };
	MUST(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
	agrees("clock_adjtime", told_by(&t));
	t = (struct timex){ 0 };
	MUST(syscall(SYS_adjtimex, &t) >= 0);
	agrees("by its number", told_by(&t));
	struct ntptimeval n;
	MUST(ntp_gettime(&n) >= 0);
	agrees("ntp_gettime", n.time.tv_sec * SECOND);
	extern int __adjtimex(struct timex *);
	MUST(__adjtimex(&t) >= 0);
	MUST(ntp_gettimex(&n) >= 0);
	agrees("ntp_gettimex", n.time.tv_sec * SECOND);

	int64_t before = now_on(CLOCK_REALTIME), monotonic = now_on(CLOCK_MONOTONIC);
	t = (struct timex){ .modes = ADJ_SETOFFSET, .time = { -500, 0 } };
	MUST(ntp_adjtime(&t) >= 0);
	moved("a step", before, -500 * SECOND);
	agrees("told of it", told_by(&t));
	say("monotonic stays: %d, modes %d", now_on(CLOCK_MONOTONIC) - monotonic < tolerance, t.modes == ADJ_SETOFFSET);
	before = now_on(CLOCK_REALTIME);
	t = (struct timex){ .modes = ADJ_SETOFFSET | ADJ_NANO, .time = { 700, 999999999 } };
	MUST(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
	moved("a step with nanoseconds", before, 700 * SECOND);
	t = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 7, 1000000 } };
	say("bad step: %s", RESULT(adjtimex(&t)));
	say("another clock: %s", RESULT(clock_adjtime(77, &t)));
	return 0;
}
