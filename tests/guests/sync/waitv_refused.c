/* A filter refuses futex_waitv(2), as old kernels and some containers do: process-shared waits end all the same. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static struct {
	sem_t sem;
} *common;

static void refuse(int with)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex_waitv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | with),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static int timed(double n)
{
	struct timespec t = in_units(CLOCK_REALTIME, n);
	return sem_timedwait(&common->sem, &t);
}

static int waits(int with)
{
	refuse(with);
	REPORT(2, "time-out", timed(2));
	REPORT(1, "posted in time", timed(5));
	REPORT(1, "posted", sem_wait(&common->sem));
	return 7;
}

int main(void)
{
	common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(common != MAP_FAILED && sem_init(&common->sem, 1, 0) == 0);
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0) {
			int code = waits(i ? EPERM : ENOSYS);
			fflush(stdout);
			_exit(code);
		}
		nap(3.3);
		MUST(sem_post(&common->sem) == 0);
		nap(1.2);
		MUST(sem_post(&common->sem) == 0);
		say("child %d", reap(child));
	}
	return 0;
}
