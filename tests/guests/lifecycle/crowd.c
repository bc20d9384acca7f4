/* Twenty processes of ten threads each, all sleeping and waiting for each other through one semaphore in shared memory. */
#include "guest.h"
#include <semaphore.h>

enum { PROCESSES = 20, THREADS = 10 };
static sem_t *tokens;
static int *count;

static void *body(void *argument)
{
	int n = (int)(intptr_t)argument % 5 + 1;
	start();
	for (int i = 0; i < 3; i++) {
		nap(n * 0.2);
		MUST(sem_wait(tokens) == 0);
		nap(0.05);
		__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
		MUST(sem_post(tokens) == 0);
	}
	after(3 * n * 0.2 + 0.15);
	return NULL;
}

int main(void)
{
	tokens = shared(sizeof *tokens);
	count = shared(sizeof *count);
	MUST(sem_init(tokens, 1, 40) == 0);
	pid_t children[PROCESSES];
	start();
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		MUST(children[i] >= 0);
		if (children[i] == 0) {
			pthread_t threads[THREADS];
			for (int j = 0; j < THREADS; j++)
				threads[j] = thread(body, (void *)(intptr_t)(i + j));
			for (int j = 0; j < THREADS; j++)
				join(threads[j]);
			exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		MUST(reap(children[i]) == 0);
	after(3.15);
	say("count %d", *count);
	return 0;
}
