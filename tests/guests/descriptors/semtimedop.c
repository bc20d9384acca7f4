/* semtimedop(2) while another thread is in the kernel: its time-out, a handler of the program's (EINTR, SA_RESTART or not), and
 * other calls of the same thread that nothing must end. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/sem.h>

static int idle[2], set;
static volatile sig_atomic_t handled;
static pthread_t waiter;

static int take(double n)
{
	struct sembuf operation = { .sem_num = 0, .sem_op = -1 };
	struct timespec t = as_timespec(units(n));
	return semtimedop(set, &operation, 1, &t);
}

static void *reader(void *unused)
{
	char byte;
	MUST(read(idle[0], &byte, 1) == 1);
	return unused;
}

static void *giver(void *unused)
{
	nap(1.3);
	struct sembuf operation = { .sem_num = 0, .sem_op = 1 };
	MUST(semop(set, &operation, 1) == 0);
	return unused;
}

static void handler(int number)
{
	(void)number;
	handled++;
}

static void *interrupter(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

static void *other_waiter(void *unused)
{
	return (void *)(intptr_t)(take(3) != 0 && errno == EAGAIN ? 1 : unused != NULL);
}

int main(void)
{
	MUST(pipe(idle) == 0);
	set = semget(IPC_PRIVATE, 1, 0600);
	MUST(set >= 0);
	waiter = pthread_self();
	pthread_t in_kernel = thread(reader, NULL);
	nap(1);
	REPORT(2, "time-out", take(2));
	for (int restart = 0; restart < 2; restart++) {
		on_signal(SIGUSR1, handler, restart ? SA_RESTART : 0);
		pthread_t other = thread(interrupter, NULL);
		REPORT(1, "interrupted", take(3));
		say("handled %d", handled);
		join(other);
	}
	pthread_t other = thread(giver, NULL);
	REPORT(1, "in time", take(3));
	join(other);

	/* What comes right after a time-out is not disturbed. */
	int disturbed = 0;
	for (int i = 0; i < 20; i++) {
		MUST(take(0.1) != 0 && errno == EAGAIN);
		struct timespec t = as_timespec(units(0.1));
		disturbed += nanosleep(&t, NULL) != 0;
	}
	say("disturbed %d", disturbed);

	pthread_t others[3];
	start();
	for (int i = 0; i < 3; i++)
		others[i] = thread(other_waiter, NULL);
	int late = 0;
	for (int i = 0; i < 3; i++)
		late += join(others[i]) != NULL;
	int elapsed = after(3);
	say("together: %d after %d", late, elapsed);

	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0)
		_exit(take(2) == 0 ? 1 : errno == EAGAIN ? 7 : 2);
	say("child %d", reap(child));

	/* The program uses a signal itself. */
	on_signal(SIGURG, handler, 0);
	handled = 0;
	REPORT(2, "own handler", take(2));
	say("handled %d", handled);
	MUST(semctl(set, 0, IPC_RMID) == 0);
	MUST(write(idle[1], "x", 1) == 1);
	join(in_kernel);
	return 0;
}
