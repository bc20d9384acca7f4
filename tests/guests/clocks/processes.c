/* A session has one time: what a child reads before and after its parent's sleeps fits in between the parent's own reads. */
#include "guest.h"

static int there[2], back[2];

static int64_t ask(void)
{
	int64_t answer;
	MUST(write(there[1], "?", 1) == 1);
	MUST(read(back[0], &answer, sizeof answer) == sizeof answer);
	return answer;
}

int main(void)
{
	MUST(pipe(there) == 0 && pipe(back) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		close(there[1]);
		char question;
		while (read(there[0], &question, 1) == 1) {
			int64_t now = now_on(CLOCK_REALTIME);
			MUST(write(back[1], &now, sizeof now) == sizeof now);
		}
		_exit(0);
	}
	for (int i = 0; i < 10; i++) {
		int64_t before = now_on(CLOCK_REALTIME), its = ask(), now = now_on(CLOCK_REALTIME);
		if (its < before || its > now)
			say("FAIL round %d: %lld after mine, %lld before mine", i, (long long)(its - before), (long long)(now - its));
		nap(0.5);
	}
	close(there[1]);
	say("child %d", reap(child));
	return 0;
}
