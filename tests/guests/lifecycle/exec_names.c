/* Each form of exec: the new program sleeps as long as it should, and its environment is the one that was given. */
#include "guest.h"
#include <sys/syscall.h>

static char self[4096];

static void becomes(int row)
{
	char *argv[] = { "guest", "child", NULL };
	char unit[64];
	snprintf(unit, sizeof unit, "GUEST_UNIT_MS=%lld", (long long)unit_ms());
	char *env[] = { unit, "GIVEN=1", NULL };
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	setenv("GIVEN", "1", 1);
	switch (row) {
	case 0: execv(self, argv); break;
	case 1: execvp(self, argv); break;
	case 2: execvpe(self, argv, env); break;
	case 3: fexecve(fd, argv, env); break;
	case 4: execveat(AT_FDCWD, self, argv, env, 0); break;
	case 5: execlp(self, "guest", "child", (char *)NULL); break;
	case 6: execle(self, "guest", "child", (char *)NULL, env); break;
	case 7: execl(self, "guest", "child", (char *)NULL); break;
	default: execve(self, argv, env); break;
	}
	_Exit(90);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		nap(1);
		_Exit(getenv("GIVEN") ? 7 : 8);
	}
	static const char *const names[] = { "execv", "execvp", "execvpe", "fexecve", "execveat", "execlp", "execle", "execl", "execve" };
	MUST(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	for (int row = 0; row < 9; row++) {
		start();
		pid_t child = fork();
		if (child == 0)
			becomes(row);
		int code = reap(child);
		say("%s: %d after %d", names[row], code, after(1));
	}
	return 0;
}
