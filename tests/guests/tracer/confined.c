/* A program with a filter of its own that kills it for any call but those that it makes; others sleep meanwhile. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int calls[] = { SYS_write, SYS_exit_group, SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime,
			     SYS_getpid, SYS_rt_sigreturn, SYS_restart_syscall, SYS_timerfd_create };

static void nothing(int number)
{
	(void)number;
}

static void confine(int by_prctl)
{
	struct sock_filter code[64];
	unsigned short n = 0;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	struct sock_fprog program = { n, code };
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST((by_prctl ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
		       : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) == 0);
}

int main(void)
{
	on_signal(SIGUSR1, nothing, 0);
	say("begins");
	for (int by_prctl = 0; by_prctl < 2; by_prctl++) {
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0) {
			confine(by_prctl);
			start();
			nap(1.3);
			int first = after(1.3);
			start();
			struct timespec until = in_units(CLOCK_MONOTONIC, 2), rest;
			int failed = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
			int second = after(2);
			start();
			struct timespec length = { until.tv_sec + 1, 0 };
			int interrupted = nanosleep(&length, &rest);
			int third = after(1);
			say("after %d, %d after %d, %d after %d", first, failed, second, interrupted, third);
			syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
			_exit(5);
		}
		nap(4.8);
		kill(child, SIGUSR1);
		say("ended with %d", reap(child));
	}
	return 0;
}
