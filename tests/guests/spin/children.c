/* Loops that ask whether a sleeping child has ended, or made a file. */
#include "guest.h"
#include <sys/stat.h>

static char path[64];

static pid_t child(void)
{
	start();
	pid_t pid = fork();
	if (pid == 0) {
		nap(1.3);
		if (path[0])
			close(open(path, O_CREAT | O_WRONLY, 0600));
		_exit(3);
	}
	MUST(pid > 0);
	return pid;
}

#define UNTIL(what, call) \
	do { \
		while (!(call)) \
			; \
		say(what ": after %d", after(1.3)); \
	} while (0)

int main(void)
{
	int status;
	pid_t pid = child();
	UNTIL("waitpid", waitpid(pid, &status, WNOHANG) == pid && WEXITSTATUS(status) == 3);
	pid = child();
	siginfo_t info;
	UNTIL("waitid", waitid(P_PID, pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid);
	on_signal(SIGCHLD, SIG_IGN, 0);
	pid = child();
	UNTIL("kill", kill(pid, 0) != 0 && errno == ESRCH);
	on_signal(SIGCHLD, SIG_DFL, 0);

	snprintf(path, sizeof path, "/tmp/spin-%d", getpid());
	struct stat s;
	struct statx x;
	int fd = -1;
#define FILE_BY(what, call) \
	do { \
		pid = child(); \
		UNTIL(what, call); \
		reap(pid); \
		unlink(path); \
	} while (0)
	FILE_BY("open", (fd = open(path, O_RDONLY)) >= 0);
	FILE_BY("access", access(path, F_OK) == 0);
	FILE_BY("faccessat", faccessat(AT_FDCWD, path, F_OK, 0) == 0);
	FILE_BY("stat", stat(path, &s) == 0);
	FILE_BY("lstat", lstat(path, &s) == 0);
	FILE_BY("fstatat", fstatat(AT_FDCWD, path, &s, 0) == 0);
	FILE_BY("statx", statx(AT_FDCWD, path, 0, STATX_SIZE, &x) == 0);
	close(fd);
	return 0;
}
