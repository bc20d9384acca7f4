/* Clocks read by system calls in line, see --trace=all: they agree with libc's, also in a child, a thread and a handler. */
#include "guest.h"
#include <sys/syscall.h>

static long in_line(long number, long a, long b)
{
	long answer;
	__asm__ volatile("syscall" : "=a"(answer) : "0"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return answer;
}

static void agree(const char *who)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_MONOTONIC_COARSE };
	int wrong = 0;
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		struct timespec before, now, after;
		MUST(clock_gettime(clocks[i], &before) == 0);
		MUST(in_line(SYS_clock_gettime, clocks[i], (long)&now) == 0);
		MUST(clock_gettime(clocks[i], &after) == 0);
		long from = now.tv_sec - before.tv_sec, to = after.tv_sec - now.tv_sec;
		wrong += from < 0 || to < 0 || from > 1 || to > 1;
	}
	struct timeval time_of_day;
	time_t now = time(NULL);
	MUST(in_line(SYS_gettimeofday, (long)&time_of_day, 0) == 0);
	wrong += time_of_day.tv_sec < now || time_of_day.tv_sec > now + 1;
	long seconds = in_line(SYS_time, 0, 0);
	wrong += seconds < now || seconds > now + 1;
	MUST(in_line(SYS_clock_gettime, CLOCK_REALTIME, 8) == -EFAULT);
	say("%s: %d wrong", who, wrong);
}

static void handler(int number)
{
	(void)number;
	agree("a handler");
}

static void *in_a_thread(void *unused)
{
	nap(1);
	agree("a thread");
	return unused;
}

int main(void)
{
	agree("at first");
	nap(1);
	agree("later");
	join(thread(in_a_thread, NULL));
	on_signal(SIGUSR1, handler, 0);
	raise(SIGUSR1);
	pid_t child = fork();
	if (child == 0) {
		nap(1);
		agree("a child");
		_exit(0);
	}
	reap(child);
	return 0;
}
