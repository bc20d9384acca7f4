/* A sleep of a day that a signal interrupts after an hour.
 *
 * Promise: errors are those of POSIX. Here EINTR, and the time that is left.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void handler(int signal)
{
	(void)signal;
}

static void *interrupter(void *sleeper)
{
	sleep(3600);
	pthread_kill(*(pthread_t *)sleeper, SIGUSR1);
	return NULL;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler };
	struct timespec left = { .tv_sec = 86400 };
	pthread_t self = pthread_self(), thread;
	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, interrupter, &self) != 0)
		return 1;
	while (nanosleep(&left, &left) != 0) {
		/* To the nearest minute: some milliseconds of computing have passed as well. */
		printf("%s, %ld min left\n", strerror(errno), (left.tv_sec + 30) / 60);
	}
	puts("slept");
	return pthread_join(thread, NULL);
}
