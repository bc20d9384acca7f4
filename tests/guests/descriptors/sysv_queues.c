/* System V messages and semaphores: msgrcv, msgsnd, semop and semtimedop with peers that sleep. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static int queue, set;

struct message {
	long type;
	char text[4096];
};

static void *sender(void *type)
{
	nap(1.3);
	struct message m = { .type = (intptr_t)type, .text = "hi" };
	MUST(msgsnd(queue, &m, 3, 0) == 0);
	return NULL;
}

static void *receiver(void *unused)
{
	struct message m;
	nap(1.3);
	MUST(msgrcv(queue, &m, sizeof m.text, 0, 0) >= 0);
	return unused;
}

static int add(int n, const struct timespec *t, int flags)
{
	struct sembuf operation = { .sem_num = 0, .sem_op = n, .sem_flg = flags };
	return t ? semtimedop(set, &operation, 1, t) : semop(set, &operation, 1);
}

static void *adder(void *n)
{
	nap(1.3);
	MUST(add((int)(intptr_t)n, NULL, 0) == 0);
	return NULL;
}

static void *remover(void *id)
{
	nap(1.3);
	if (id == &queue)
		MUST(msgctl(queue, IPC_RMID, NULL) == 0);
	else
		MUST(semctl(set, 0, IPC_RMID) == 0);
	return NULL;
}

int main(void)
{
	queue = msgget(IPC_PRIVATE, 0600);
	set = semget(IPC_PRIVATE, 1, 0600);
	MUST(queue >= 0 && set >= 0);
	struct message m = { .type = 1 };
	pthread_t other = thread(sender, (void *)5);
	REPORT(1, "msgrcv", msgrcv(queue, &m, sizeof m.text, 5, 0));
	say("%s, type %ld", m.text, m.type);
	join(other);
	say("nothing: %s", RESULT(msgrcv(queue, &m, sizeof m.text, 0, IPC_NOWAIT)));
	m.type = 9;
	while (msgsnd(queue, &m, sizeof m.text, IPC_NOWAIT) == 0)
		;
	say("full: %s", name(errno));
	other = thread(receiver, NULL);
	REPORT(1, "msgsnd", msgsnd(queue, &m, sizeof m.text, 0));
	join(other);

	struct timespec two = as_timespec(units(2)), five = as_timespec(units(5)), zero = { 0, 0 }, bad = { 0, 1000000000 };
	REPORT(2, "semtimedop", add(-1, &two, 0));
	REPORT(0, "no time", add(-1, &zero, 0));
	REPORT(0, "bad time", add(-1, &bad, 0));
	REPORT(0, "no waiting", add(-1, NULL, IPC_NOWAIT));
	other = thread(adder, (void *)1);
	REPORT(1, "semtimedop in time", add(-1, &five, 0));
	join(other);
	other = thread(adder, (void *)2);
	REPORT(1, "semop", add(-2, NULL, 0));
	join(other);
	MUST(add(1, NULL, 0) == 0);
	other = thread(adder, (void *)-1);
	REPORT(1, "wait for zero", add(0, NULL, 0));
	join(other);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		adder((void *)1);
		_exit(0);
	}
	REPORT(1, "from a process", add(-1, NULL, 0));
	say("child %d", reap(child));

	/* SEM_UNDO: what a process took comes back when it ends, however it ends. */
	MUST(add(1, NULL, 0) == 0);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		MUST(add(-1, NULL, SEM_UNDO) == 0);
		nap(2.3);
		kill(getpid(), SIGKILL);
	}
	nap(1);
	REPORT(1, "undone", add(-1, NULL, 0));
	say("child %d", reap(child));

	other = thread(remover, &set);
	REPORT(1, "removed", add(-1, NULL, 0));
	join(other);
	while (msgrcv(queue, &m, sizeof m.text, 0, IPC_NOWAIT) >= 0)
		;
	other = thread(remover, &queue);
	REPORT(1, "removed", msgrcv(queue, &m, sizeof m.text, 0, 0));
	join(other);
	return 0;
}
