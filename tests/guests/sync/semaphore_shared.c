/* Semaphores between processes: in shared memory, and named. */
#include "guest.h"
#include <semaphore.h>

static void play(const char *what, sem_t *there, sem_t *back)
{
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		for (int i = 0; i < 3; i++) {
			MUST(sem_wait(there) == 0);
			nap(1);
			say("%s: child %d", what, i);
			MUST(sem_post(back) == 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		nap(1);
		say("%s: parent %d", what, i);
		MUST(sem_post(there) == 0);
		MUST(sem_wait(back) == 0);
	}
	say("%s: after %d", what, after(6));
	struct timespec deadline;
	REPORT(2, what, (deadline = in_units(CLOCK_REALTIME, 2), sem_timedwait(back, &deadline)));
	say("child: %d", reap(child));
}

int main(void)
{
	sem_t *pair = shared(2 * sizeof *pair);
	MUST(sem_init(&pair[0], 1, 0) == 0 && sem_init(&pair[1], 1, 0) == 0);
	play("shared", &pair[0], &pair[1]);

	char there_name[64], back_name[64];
	snprintf(there_name, sizeof there_name, "/guest-there-%d", getpid());
	snprintf(back_name, sizeof back_name, "/guest-back-%d", getpid());
	say("open, none there: %s", sem_open(there_name, 0) == SEM_FAILED ? name(errno) : "a semaphore");
	sem_t *there = sem_open(there_name, O_CREAT | O_EXCL, 0600, 0), *back = sem_open(back_name, O_CREAT, 0600, 0);
	MUST(there != SEM_FAILED && back != SEM_FAILED);
	say("open, exclusively: %s", sem_open(there_name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED ? name(errno) : "a semaphore");
	say("open again: the same %d", sem_open(there_name, 0) == there);
	say("close one of two: %s", RESULT(sem_close(there)));
	play("named", there, back);

	/* A child that opens it by its name. */
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		sem_t *mine = sem_open(back_name, 0);
		MUST(mine != SEM_FAILED);
		nap(2);
		sem_post(mine);
		_exit(0);
	}
	say("posted by name: %s", RESULT(sem_wait(back)));
	say("after %d", after(2));
	reap(child);
	say("unlink: %s", RESULT(sem_unlink(there_name)));
	say("unlink: %s", RESULT(sem_unlink(back_name)));
	say("unlink again: %s", RESULT(sem_unlink(back_name)));
	say("close: %s", RESULT(sem_close(there)));
	say("close: %s", RESULT(sem_close(back)));
	return 0;
}
