/* A child that outlives its parent, as daemons do: the pipe says when it is done. */
#include "guest.h"
#include <sys/prctl.h>

int main(void)
{
	int pipes[2];
	char bytes[16];
	MUST(pipe(pipes) == 0);
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		setsid();
		if (fork() != 0)
			_exit(4);
		start();
		nap(2.3);
		MUST(write(pipes[1], "daemon", 6) == 6);
		nap(1.3);
		_exit(0);
	}
	close(pipes[1]);
	say("parent of the daemon: %d", reap(child));
	REPORT(2, "it writes", read(pipes[0], bytes, sizeof bytes));
	REPORT(1, "it ends", read(pipes[0], bytes, sizeof bytes));

	/* With a subreaper the orphan is ours. */
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		if (fork() != 0)
			_exit(5);
		nap(2.3);
		_exit(6);
	}
	start();
	say("child: %d", reap(child));
	int status;
	MUST(wait(&status) > 0);
	say("orphan: %d after %d", WEXITSTATUS(status), after(2));
	return 0;
}
