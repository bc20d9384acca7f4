/* A process is stopped while it makes its first timer descriptor, or thereabouts: then none of its threads moves. */
#include "guest.h"
#include <sched.h>
#include <sys/timerfd.h>

static volatile long *counts;

static void *counts_up(void *unused)
{
	for (counts[2] = 1;; counts[0]++)
		sched_yield();
	return unused;
}

int main(void)
{
	unsigned seed = 1, moved = 0;
	counts = shared(4 * sizeof *counts);
	for (int i = 0; i < 60; i++) {
		for (int n = 0; n < 4; n++)
			counts[n] = 0;
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0) {
			thread(counts_up, NULL);
			while (!counts[2])
				sched_yield();
			counts[3] = 1;
			MUST(timerfd_create(CLOCK_MONOTONIC, 0) >= 0);
			for (;;)
				counts[1]++;
		}
		while (!counts[3])
			sched_yield();
		for (volatile int n = rand_r(&seed) % 150000; n > 0; n--)
			;
		int status;
		MUST(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
		long before[2] = { counts[0], counts[1] };
		for (volatile int n = 1000000; n > 0; n--)
			;
		moved += counts[0] != before[0] || counts[1] != before[1];
		kill(child, SIGKILL);
		MUST(reap(child) == 1000 + SIGKILL);
	}
	say("moved while stopped: %d", moved);
	return 0;
}
