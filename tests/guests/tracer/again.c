/* A program that executes itself again and again, each time at other addresses, and in the end a shell. */
#include "guest.h"

int main(int argc, char **argv)
{
	int left = argc > 1 ? atoi(argv[1]) : 300;
	if (left > 0) {
		char number[12];
		snprintf(number, sizeof number, "%d", left - 1);
		execl("/proc/self/exe", "again", number, NULL);
		return 9;
	}
	start();
	nap(1.3);
	say("sleeps: after %d", after(1.3));
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		char script[64];
		snprintf(script, sizeof script, "sleep %.3f; exit 3", (double)unit_ms() / 1000);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(9);
	}
	start();
	int code = reap(child);
	say("its child sleeps, too: %d after %d", code, after(1));
	return 0;
}
