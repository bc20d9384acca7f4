/* sem_post is async-signal-safe: a handler posts, in the thread that waits and in one that sleeps; and EINTR. */
#include "guest.h"
#include <semaphore.h>

static sem_t sem;
static pthread_t target;
static volatile sig_atomic_t handled;

static void post(int number)
{
	(void)number;
	handled++;
	sem_post(&sem);
}

static void nothing(int number)
{
	(void)number;
	handled++;
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(target, SIGUSR1);
	return unused;
}

static void *sleeper(void *unused)
{
	(void)unused;
	struct timespec t = as_timespec(units(5.5));
	return (void *)RESULT(nanosleep(&t, NULL));
}

static void interrupted(const char *what, bool timed)
{
	pthread_t other = thread(sender, NULL);
	struct timespec deadline = in_units(CLOCK_REALTIME, 3.5);
	handled = 0;
	start();
	const char *result = timed ? RESULT(sem_timedwait(&sem, &deadline)) : RESULT(sem_wait(&sem));
	say("%s: %s after %d, handled %d", what, result, after(1), handled);
	join(other);
}

int main(void)
{
	MUST(sem_init(&sem, 0, 0) == 0);
	/* The waiter's own handler posts. The wait may end with EINTR or with the token, POSIX leaves that open. */
	on_signal(SIGUSR1, post, SA_RESTART);
	target = pthread_self();
	start();
	pthread_t other = thread(sender, NULL);
	while (sem_wait(&sem) != 0)
		MUST(errno == EINTR);
	say("posted by my own handler: after %d, handled %d", after(1), handled);
	join(other);

	target = thread(sleeper, NULL);
	other = thread(sender, NULL);
	REPORT(1, "posted by the sleeper's handler", sem_wait(&sem));
	say("the sleeper: %s", (char *)join(target));
	join(other);

	target = pthread_self();
	on_signal(SIGUSR1, nothing, 0);
	interrupted("sem_wait", false);
	interrupted("sem_timedwait", true);
	on_signal(SIGUSR1, nothing, SA_RESTART);
	interrupted("sem_timedwait, SA_RESTART", true);
	return 0;
}
