/* select(2): the sets, the time that remains (Linux writes it back, and musl does not pass it on), and its errors. */
#include "guest.h"
#include <sys/select.h>

static int pipes[2];

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

int main(void)
{
	MUST(pipe(pipes) == 0);
	int n = pipes[1] + 1;
	GUARDED(fd_set) g;
	fd_set *in = &g.value, out;
	guard(&g);
	FD_ZERO(in);
	FD_SET(pipes[0], in);

	struct timeval t = as_timeval(units(2));
	REPORT(2, "two units", select(n, in, NULL, NULL, &t));
	say("left %d, set %d, guards %d", t.tv_sec != 0 || t.tv_usec != 0, FD_ISSET(pipes[0], in) != 0, guard_ok(&g));
	t = as_timeval(0);
	FD_SET(pipes[0], in);
	REPORT(0, "no time", select(n, in, NULL, NULL, &t));
	t = as_timeval(units(1));
	REPORT(1, "no sets", select(0, NULL, NULL, NULL, &t));

	pthread_t other = thread(writer, NULL);
	t = as_timeval(units(3.8));
	FD_SET(pipes[0], in);
	REPORT(1, "in time", select(n, in, NULL, NULL, &t));
	int64_t left = t.tv_sec * SECOND + t.tv_usec * 1000LL;
	say("left %lld, set %d", (long long)(left / units(1)), FD_ISSET(pipes[0], in) != 0);
	join(other);
	char byte;
	MUST(read(pipes[0], &byte, 1) == 1);

	other = thread(writer, NULL);
	FD_ZERO(in);
	FD_SET(pipes[0], in);
	REPORT(1, "infinite", select(n, in, NULL, NULL, NULL));
	join(other);

	FD_ZERO(&out);
	FD_SET(pipes[1], &out);
	FD_SET(pipes[0], in);
	t = as_timeval(units(5));
	REPORT(0, "two ready", select(n, in, &out, NULL, &t));
	say("sets %d %d", FD_ISSET(pipes[0], in) != 0, FD_ISSET(pipes[1], &out) != 0);

	t = (struct timeval){ -1, 0 };
	REPORT(0, "negative seconds", select(n, in, NULL, NULL, &t));
	t = (struct timeval){ 0, -1 };
	REPORT(0, "negative microseconds", select(n, in, NULL, NULL, &t));
	t = as_timeval(units(5));
	REPORT(0, "negative count", select(-1, in, NULL, NULL, &t));
	FD_ZERO(in);
	/* Not one far away: Linux looks no further than its table of descriptors reaches. */
	FD_SET(n, in);
	REPORT(0, "bad descriptor", select(n + 1, in, NULL, NULL, &t));
	say("set kept %d, guards %d", FD_ISSET(n, in) != 0, guard_ok(&g));
	/* More than a second of microseconds is carried over, not refused. */
	MUST(read(pipes[0], &byte, 1) == 1);
	FD_ZERO(in);
	FD_SET(pipes[0], in);
	t = (struct timeval){ 0, 1000000 };
	other = thread(writer, NULL);
	const char *result = RESULT(select(n, in, NULL, NULL, &t));
	say("a second in microseconds: %s", units(1.3) < SECOND ? result : strcmp(result, "0") == 0 ? "1" : "FAIL");
	join(other);
	return 0;
}
