/* A process is killed in the middle of making another, which goes on: until all of them have ended the pipe does not. And one is
 * while a thread of it that is not the leader executes a program. Time goes on after that. */
#include "guest.h"

static void *executes(void *unused)
{
	execl("/proc/self/exe", "orphans", "executed", NULL);
	return unused;
}

int main(int argc, char **argv)
{
	(void)argv;
	unsigned seed = 1, ended = 0;
	for (int i = 0; i < 100 || argc > 1; i++) {
		pid_t child = argc > 1 ? 0 : fork();
		MUST(child >= 0);
		if (child == 0) {
			thread(executes, NULL);
			for (;;)
				pause();
		}
		for (volatile int n = rand_r(&seed) % 1000000; n > 0; n--)
			;
		kill(child, SIGKILL);
		ended += reap(child) == 1000 + SIGKILL;
	}
	for (int i = 0; i < 60; i++) {
		int ends[2];
		MUST(pipe(ends) == 0);
		pid_t makes = fork();
		MUST(makes >= 0);
		while (makes == 0) {
			pid_t child = fork();
			if (child == 0)
				_exit(write(ends[1], "x", 1) != 1);
			reap(child);
		}
		close(ends[1]);
		char byte;
		MUST(read(ends[0], &byte, 1) == 1);
		for (volatile int n = rand_r(&seed) % 400000; n > 0; n--)
			;
		kill(makes, SIGKILL);
		ended += reap(makes) == 1000 + SIGKILL;
		while (read(ends[0], &byte, 1) > 0)
			;
		close(ends[0]);
	}
	start();
	nap(2);
	say("%d killed, and all others ended; %d later", ended, after(2));
	return 0;
}
