/* times and sysinfo count the same time as the clocks; processor time is left alone. */
#include "guest.h"
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/times.h>

/* In ns, from a fixed but unknown point. */
static int64_t ticks(bool raw, struct tms *used)
{
	long got = raw ? syscall(SYS_times, used) : (long)times(used);
	MUST(got != -1);
	return got * (SECOND / sysconf(_SC_CLK_TCK));
}

static int64_t uptime(bool raw)
{
	struct sysinfo info;
	MUST((raw ? syscall(SYS_sysinfo, &info) : sysinfo(&info)) == 0);
	return (int64_t)info.uptime * SECOND;
}

int main(void)
{
	for (int raw = 0; raw < 2; raw++) {
		struct tms before, after_sleep;
		int64_t from = ticks(raw, &before), up = uptime(raw);
		nap(5);
		/* As coarse as its tick of 10 ms, or its second. */
		int64_t passed = ticks(raw, &after_sleep) - from, up_passed = uptime(raw) - up;
		say("times: %d", passed > units(5) - SECOND / 50 && passed < units(8) + SECOND / 50);
		say("uptime: %d", up_passed > units(5) - 2 * SECOND && up_passed < units(8) + 2 * SECOND);
		say("processor time: %d", after_sleep.tms_utime - before.tms_utime < 50);
		struct sysinfo info;
		MUST(sysinfo(&info) == 0);
		say("boot time agrees: %d", llabs(now_on(CLOCK_BOOTTIME) - (int64_t)info.uptime * SECOND) <= 2 * SECOND);
		say("memory: %d", info.totalram > 0 && info.mem_unit > 0);
	}
	say("nowhere: %s %s", RESULT(syscall(SYS_times, 8)), RESULT(syscall(SYS_sysinfo, 8)));
	return 0;
}
