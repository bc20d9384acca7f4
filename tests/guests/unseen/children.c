/* Children made by clone(2) in line, as Go makes them, and awaited in line, beside a thread that sleeps: no time passes while they
 * execute a program that ends at once. */
#include "guest.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>

extern char **environ;

/* Inlined always: a child that shares the stack must not return from a function. */
__attribute__((always_inline)) static inline long in_line(long number, long a, long b, long c, long d, long e)
{
	long answer;
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return answer;
}

static void *sleeper(void *unused)
{
	for (;;)
		sleep(60);
	return unused;
}

static void children(const char *name, long flags)
{
	static char path[] = "/bin/true";
	static char *const arguments[] = { path, NULL };
	int late = 0;
	for (int round = 0; round < FEWER(300, 100); round++) {
		int64_t before = now_on(CLOCK_MONOTONIC);
		long child = in_line(SYS_clone, flags, 0, 0, 0, 0);
		if (child == 0) {
			in_line(SYS_execve, (long)path, (long)arguments, (long)environ, 0, 0);
			in_line(SYS_exit_group, 1, 0, 0, 0, 0);
		}
		MUST(child > 0);
		siginfo_t ended;
		MUST(in_line(SYS_waitid, P_PID, child, (long)&ended, WEXITED, 0) == 0);
		late += now_on(CLOCK_MONOTONIC) - before > 30 * SECOND;
	}
	say("%s: %d late", name, late);
}

int main(void)
{
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, sleeper, NULL) == 0);
	children("vfork", CLONE_VM | CLONE_VFORK | SIGCHLD);
	children("fork", SIGCHLD);
	return 0;
}
