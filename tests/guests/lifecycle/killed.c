/* SIGKILL for processes that sleep, wait and hold things: who waits for them learns it at once, and everything else goes on. */
#include "guest.h"
#include <semaphore.h>
#include <sys/syscall.h>

struct board {
	sem_t never, turn;
	pthread_barrier_t barrier;
};

static struct board *board;
static int pipes[2];

static void *sleeps(void *unused)
{
	nap(1000);
	return unused;
}

static void victim(int row)
{
	struct pollfd p = { .fd = pipes[0], .events = POLLIN };
	char byte;
	ssize_t n;
	switch (row) {
	case 0: nap(1000); break;
	case 1: sem_wait(&board->never); break;
	case 2: poll(&p, 1, -1); break;
	case 3: n = read(pipes[0], &byte, 1); (void)n; break;
	case 4: pause(); break;
	case 5:
		for (int i = 0; i < 20; i++)
			thread(sleeps, NULL);
		join(thread(sleeps, NULL));
		break;
	case 6:
		/* It moves the clock itself, all the time. */
		for (;;)
			nap(0.01);
	}
}

int main(void)
{
	static const char *const rows[] = { "nanosleep", "sem_wait", "poll", "read", "pause", "twenty threads", "many short sleeps" };
	board = shared(sizeof *board);
	MUST(sem_init(&board->never, 1, 0) == 0 && sem_init(&board->turn, 1, 0) == 0 && pipe(pipes) == 0);
	for (int row = 0; row < 7; row++) {
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0)
			victim(row);
		pid_t killer = fork();
		MUST(killer >= 0);
		if (killer == 0) {
			nap(1.3);
			kill(child, SIGKILL);
			_exit(0);
		}
		start();
		int code = reap(child);
		int elapsed = after(1);
		reap(killer);
		say("%s: %d after %d", rows[row], code, elapsed);
		/* The others' time has not stopped with it. */
		REPORT(1, "a sleep afterwards", ({ nap(1); 0; }));
	}

	/* The kernel's own handle of a process shows it too. */
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0)
		victim(0);
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
	REPORT(1, "pidfd, alive", poll(&p, 1, ms(1)));
	kill(child, SIGKILL);
	struct pollfd *volatile same = &p;
	say("pidfd, killed: %s", RESULT(poll(same, 1, -1)));
	say("%d", reap(child));

	/* A post that a killed process had not waited for any more stays for the next one. */
	child = fork();
	MUST(child >= 0);
	if (child == 0)
		victim(1);
	nap(1);
	kill(child, SIGKILL);
	reap(child);
	MUST(sem_post(&board->never) == 0);
	REPORT(0, "semaphore", sem_wait(&board->never));
	return 0;
}
