/* Barriers of threads and of processes: all leave when the last has come, one of them is told so. */
#include "guest.h"

struct board {
	pthread_barrier_t barrier;
	int serial;
};

static struct board *board;
/* Common to all: a thread that began a moment later must not count from there. */
static int64_t begin;

static void round_trip(int number)
{
	started = begin;
	for (int round = 0; round < 3; round++) {
		nap((number + round) % 4 + 1);
		int result = pthread_barrier_wait(&board->barrier);
		if (result == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&board->serial, 1, __ATOMIC_SEQ_CST);
		else
			MUST(result == 0);
		/* The slowest of each round needs 4 units. */
		int elapsed = after(4 * (round + 1));
		if (number == 0)
			say("round %d: after %d", round, elapsed);
	}
}

static void *body(void *number)
{
	round_trip((int)(intptr_t)number);
	return NULL;
}

int main(void)
{
	board = shared(sizeof *board);
	say("init with 0: %s", name(pthread_barrier_init(&board->barrier, NULL, 0)));
	MUST(pthread_barrier_init(&board->barrier, NULL, 4) == 0);
	pthread_t threads[4];
	start();
	begin = started;
	for (int i = 0; i < 4; i++)
		threads[i] = thread(body, (void *)(intptr_t)i);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	say("threads: serial %d times, destroy: %s", board->serial, name(pthread_barrier_destroy(&board->barrier)));

	pthread_barrierattr_t attributes;
	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	MUST(pthread_barrier_init(&board->barrier, &attributes, 4) == 0);
	board->serial = 0;
	pid_t children[4];
	start();
	begin = started;
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		MUST(children[i] >= 0);
		if (children[i] == 0) {
			round_trip(i);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		say("child: %d", reap(children[i]));
	say("processes: serial %d times, destroy: %s", board->serial, name(pthread_barrier_destroy(&board->barrier)));

	MUST(pthread_barrier_init(&board->barrier, NULL, 1) == 0);
	say("alone: serial %d", pthread_barrier_wait(&board->barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
	return 0;
}
