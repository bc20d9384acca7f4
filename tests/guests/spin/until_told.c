/* Who works until somebody who sleeps says that it is enough: threads that hand a semaphore to each other, a signal to another
 * thread, and a process that writes. They never rest, and do not look at the clock. */
#include "guest.h"
#include <semaphore.h>

static sem_t first, second;
static volatile sig_atomic_t go;

static void *one(void *argument)
{
	(void)argument;
	while (go) {
		sem_wait(&first);
		sem_post(&second);
	}
	sem_post(&second);
	return NULL;
}

static void *other(void *argument)
{
	(void)argument;
	while (go) {
		sem_wait(&second);
		sem_post(&first);
	}
	sem_post(&first);
	return NULL;
}

static void handler(int number)
{
	(void)number;
	sem_post(&first);
}

static void *is_told(void *argument)
{
	(void)argument;
	while (go)
		;
	return NULL;
}

static void *tells(void *argument)
{
	pthread_t *whom = argument;
	while (go) {
		sem_wait(&first);
		pthread_kill(*whom, SIGUSR1);
	}
	return NULL;
}

static void until(const char *what, pthread_t a, pthread_t b)
{
	usleep(units(1) / 1000);
	go = 0;
	sem_post(&first);
	pthread_join(b, NULL);
	pthread_join(a, NULL);
	say("%s: %s", what, in_time(1));
}

int main(void)
{
	sem_init(&first, 0, 1);
	sem_init(&second, 0, 0);
	go = 1;
	start();
	pthread_t a = thread(one, NULL);
	until("semaphores", a, thread(other, NULL));

	sem_init(&first, 0, 1);
	signal(SIGUSR1, handler);
	go = 1;
	start();
	a = thread(is_told, NULL);
	until("signals", a, thread(tells, &a));

	start();
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		while (write(null, "y", 1) == 1)
			;
		_exit(1);
	}
	usleep(units(1) / 1000);
	kill(child, SIGKILL);
	int status;
	MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	say("writes: %s", in_time(1));
	return 0;
}
