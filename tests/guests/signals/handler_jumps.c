/* A handler that leaves by siglongjmp, out of each kind of wait. What was waited for is abandoned; everything works afterwards. */
#include "guest.h"
#include <semaphore.h>
#include <setjmp.h>

static sigjmp_buf back;
static pthread_t waiter;
static int pipes[2];
static sem_t semaphore;

static void handler(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

static void wait_by(int row)
{
	struct pollfd p = { .fd = pipes[0], .events = POLLIN };
	char byte;
	ssize_t n;
	switch (row) {
	case 0: nap(5); break;
	case 1: poll(&p, 1, ms(5)); break;
	case 2: poll(&p, 1, -1); break;
	case 3: n = read(pipes[0], &byte, 1); (void)n; break;
	case 4: sem_wait(&semaphore); break;
	case 5: select(0, NULL, NULL, NULL, NULL); break;
	default: pause(); break;
	}
}

int main(void)
{
	static const char *const names[] = { "nanosleep", "poll with an end", "poll", "read", "sem_wait", "select", "pause" };
	MUST(pipe(pipes) == 0 && sem_init(&semaphore, 0, 0) == 0);
	waiter = pthread_self();
	on_signal(SIGUSR1, handler, 0);
	for (volatile int row = 0; row < 7; row++) {
		volatile pthread_t other = thread(sender, NULL);
		start();
		if (sigsetjmp(back, 1) == 0) {
			wait_by(row);
			say("FAIL came back");
		}
		say("%s: after %d", names[row], after(1));
		join(other);
		REPORT(2, "a sleep afterwards", ({ nap(2); 0; }));
	}
	/* A post goes to one who waits now, not to one who jumped away. */
	MUST(sem_post(&semaphore) == 0);
	REPORT(0, "the semaphore", sem_wait(&semaphore));
	return 0;
}
