/* select(2) with a number of descriptors larger than the set, inside a word of it, and on the edge. */
#include "guest.h"
#include <sys/select.h>

static int idle[2], pipes[2];

static void *reader(void *unused)
{
	char byte;
	MUST(read(idle[0], &byte, 1) == 1);
	return unused;
}

static int look(int n, int also)
{
	fd_set in;
	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	if (also >= 0)
		FD_SET(also, &in);
	struct timeval t = as_timeval(units(1));
	int ready = select(n, &in, NULL, NULL, &t);
	if (ready >= 0)
		say("set %d", !!FD_ISSET(pipes[0], &in));
	return ready;
}

int main(void)
{
	MUST(pipe(idle) == 0 && pipe(pipes) == 0);
	pthread_t in_kernel = thread(reader, NULL);
	nap(1);
	for (int full = 0; full < 2; full++) {
		say("--- %s", full ? "ready" : "not ready");
		REPORT(0, "just enough", look(pipes[0] + 1, -1));
		REPORT(0, "one less", look(pipes[0], -1));
		REPORT(0, "none", look(0, -1));
		REPORT(0, "closed one beyond", look(pipes[0] + 1, 40));
		REPORT(0, "closed one within", look(41, 40));
		REPORT(0, "a thousand", look(1000, -1));
		/* The set is at the very end of a page. */
		char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		MUST(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
		fd_set *edge = (fd_set *)(pages + 4096 - sizeof(fd_set));
		FD_SET(pipes[0], edge);
		struct timeval t = as_timeval(units(1));
		REPORT(0, "a million", select(1 << 20, edge, NULL, NULL, &t));
		say("set %d", !!FD_ISSET(pipes[0], edge));
		if (!full)
			MUST(write(pipes[1], "x", 1) == 1);
	}
	say("negative: %s", RESULT(look(-1, -1)));
	MUST(write(idle[1], "x", 1) == 1);
	join(in_kernel);
	return 0;
}
