/* A child that has forbidden itself all but two calls (seccomp(2)) makes those two, and nobody makes others in its name. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ALLOW(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void forbid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_write),
		ALLOW(SYS_exit),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static int sandboxed(int ends[2], bool obeys)
{
	pid_t pid = fork();
	if (pid == 0) {
		forbid();
		MUST(write(ends[1], "x", 1) == 1);
		if (!obeys)
			getppid();
		syscall(SYS_exit, 3);
	}
	char byte = 0;
	MUST(pid > 0 && read(ends[0], &byte, 1) == 1 && byte == 'x');
	int status;
	MUST(waitpid(pid, &status, 0) == pid);
	return status;
}

int main(void)
{
	int ends[2];
	MUST(pipe(ends) == 0);
	start();
	int status = sandboxed(ends, true);
	say("one that obeys: %s %d", WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	status = sandboxed(ends, false);
	say("one that does not: %s", WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "SIGSYS" : "lives");
	nap(1);
	say("after %d", after(1));
	return 0;
}
