/* Two hundred processes that sleep; their parent collects them as they end. */
#include "guest.h"

enum { PROCESSES = 200 };

int main(void)
{
	start();
	for (int i = 0; i < PROCESSES; i++) {
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0) {
			start();
			nap(i % 5 + 1);
			after(i % 5 + 1);
			_exit(i % 5 + 1);
		}
	}
	int seen[6] = { 0 }, status;
	while (wait(&status) > 0) {
		MUST(WIFEXITED(status));
		seen[WEXITSTATUS(status)]++;
	}
	say("no more: %s", name(errno));
	after(5);
	for (int n = 1; n <= 5; n++)
		say("%d after %d units", seen[n], n);
	return 0;
}
