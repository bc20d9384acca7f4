/* A handler on a small alternate stack that sleeps and waits. */
#include "guest.h"
#include <semaphore.h>

static pthread_t sleeper;
static char *stack;
static size_t size;
static sem_t semaphore;

static void handler(int number)
{
	(void)number;
	char here;
	MUST(&here > stack && &here < stack + size);
	nap(1);
	struct timespec deadline = in_units(CLOCK_REALTIME, 1);
	MUST(sem_timedwait(&semaphore, &deadline) < 0 && errno == ETIMEDOUT);
	poll(NULL, 0, ms(1));
	say("handler ends");
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(sleeper, SIGUSR1);
	return unused;
}

int main(void)
{
#ifdef _SC_SIGSTKSZ
	size = sysconf(_SC_SIGSTKSZ);
#else
	size = SIGSTKSZ;
#endif
	stack = malloc(size);
	MUST(sem_init(&semaphore, 0, 0) == 0);
	MUST(sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = size }, NULL) == 0);
	sleeper = pthread_self();
	on_signal(SIGUSR1, handler, SA_ONSTACK | SA_RESTART);
	pthread_t other = thread(sender, NULL);
	REPORT(4, "pause", pause());
	join(other);
	return 0;
}
