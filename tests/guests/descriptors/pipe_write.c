/* write and writev on a full pipe: room comes from a reader that sleeps; EPIPE when it goes instead. */
#include "guest.h"
#include <sys/uio.h>

static int pipes[2];
static char block[65536];

static void *reader(void *argument)
{
	for (intptr_t i = 0; i < (intptr_t)argument; i++) {
		nap(1.3);
		for (size_t got = 0; got < sizeof block;) {
			ssize_t n = read(pipes[0], block, sizeof block - got);
			MUST(n > 0);
			got += n;
		}
	}
	return NULL;
}

static void *closer(void *unused)
{
	nap(1.3);
	close(pipes[0]);
	return unused;
}

static volatile sig_atomic_t broken;

static void on_pipe(int number)
{
	(void)number;
	broken++;
}

int main(void)
{
	MUST(pipe(pipes) == 0);
	MUST(fcntl(pipes[1], F_SETPIPE_SZ, 65536) == 65536);
	REPORT(0, "fill", write(pipes[1], block, sizeof block));
	pthread_t other = thread(reader, (void *)1);
	REPORT(1, "one more", write(pipes[1], "x", 1));
	join(other);
	MUST(read(pipes[0], block, 1) == 1);
	MUST(write(pipes[1], block, sizeof block) == sizeof block);
	other = thread(reader, (void *)3);
	struct iovec parts[2] = { { block, sizeof block }, { block, sizeof block } };
	REPORT(2, "writev in pieces", writev(pipes[1], parts, 2));
	join(other);
	MUST(write(pipes[1], block, sizeof block) == sizeof block);
	MUST(fcntl(pipes[1], F_SETFL, O_NONBLOCK) == 0);
	REPORT(0, "full, non-blocking", write(pipes[1], "x", 1));
	MUST(fcntl(pipes[1], F_SETFL, 0) == 0);

	on_signal(SIGPIPE, on_pipe, 0);
	other = thread(closer, NULL);
	REPORT(1, "the reader goes", write(pipes[1], "x", 1));
	say("SIGPIPE %d", broken);
	join(other);
	say("again: %s", RESULT(write(pipes[1], "x", 1)));
	say("SIGPIPE %d", broken);
	signal(SIGPIPE, SIG_IGN);
	say("ignored: %s", RESULT(write(pipes[1], "x", 1)));
	return 0;
}
