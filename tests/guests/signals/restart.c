/* What a handler does to a blocked call, with and without SA_RESTART (signal(7)): one row for each call. A row that goes on after
 * the handler ends when its event comes, one unit later. */
#include "guest.h"
#include <mqueue.h>
#include <semaphore.h>
#include <sys/msg.h>
#include <sys/sem.h>

static volatile sig_atomic_t handled;
static pthread_t waiter;
static int pipes[2], sockets[2], queue, set;
static mqd_t posix_queue;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void handler(int number)
{
	(void)number;
	handled++;
}

static long call(int row)
{
	char bytes[64];
	struct {
		long type;
		char text[8];
	} message;
	struct sembuf take = { .sem_op = -1 };
	struct timespec late = in_units(CLOCK_REALTIME, 9);
	switch (row) {
	case 0: return read(pipes[0], bytes, 1);
	case 1: return recv(sockets[0], bytes, 1, 0);
	case 2: return waitpid(-1, NULL, 0) < 0 ? -1 : 0;
	case 3: return sem_wait(&semaphore);
	case 4: return mq_receive(posix_queue, bytes, 64, NULL);
	case 5: return msgrcv(queue, &message, 8, 0, 0);
	case 6: return semop(set, &take, 1);
	case 7: return pthread_mutex_lock(&mutex);
	case 8: return mq_timedreceive(posix_queue, bytes, 64, NULL, &late);
	default: return -1;
	}
}

static const char *const names[] = { "read", "recv", "waitpid", "sem_wait", "mq_receive", "msgrcv", "semop", "pthread_mutex_lock",
	"mq_timedreceive" };

static void finish(int row)
{
	struct {
		long type;
		char text[8];
	} message = { .type = 1 };
	struct sembuf give = { .sem_op = 1 };
	switch (row) {
	case 0: MUST(write(pipes[1], "x", 1) == 1); break;
	case 1: MUST(send(sockets[1], "x", 1, 0) == 1); break;
	case 3: MUST(sem_post(&semaphore) == 0); break;
	case 8:
	case 4: MUST(mq_send(posix_queue, "x", 1, 0) == 0); break;
	case 5: MUST(msgsnd(queue, &message, 8, 0) == 0); break;
	case 6: MUST(semop(set, &give, 1) == 0); break;
	case 7: pthread_mutex_unlock(&mutex); break;
	}
}

static void *other_thread(void *row)
{
	if ((intptr_t)row == 7)
		pthread_mutex_lock(&mutex);
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	nap(1);
	finish((int)(intptr_t)row);
	return NULL;
}

int main(void)
{
	char path[64];
	snprintf(path, sizeof path, "/guest-restart-%d", getpid());
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 64 };
	posix_queue = mq_open(path, O_RDWR | O_CREAT, 0600, &attributes);
	mq_unlink(path);
	MUST(pipe(pipes) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && sem_init(&semaphore, 0, 0) == 0);
	waiter = pthread_self();
	for (int restart = 0; restart < 2; restart++) {
		say("--- %s", restart ? "SA_RESTART" : "plain");
		on_signal(SIGUSR1, handler, restart ? SA_RESTART : 0);
		for (int row = 0; row < 9; row++) {
			queue = msgget(IPC_PRIVATE, 0600);
			set = semget(IPC_PRIVATE, 1, 0600);
			MUST(queue >= 0 && set >= 0);
			handled = 0;
			pid_t child = row == 2 ? fork() : 0;
			if (row == 2 && child == 0) {
				nap(2.3);
				_exit(0);
			}
			pthread_t other = thread(other_thread, (void *)(intptr_t)row);
			if (row == 7)
				nap(0.2);
			start();
			const char *result = RESULT(call(row));
			say("%s: %s after %d, handled %d", names[row], result, after(row == 7 ? 2 : 1), handled);
			join(other);
			if (strcmp(result, "EINTR") == 0)
				MUST(row == 2 ? waitpid(child, NULL, 0) == child : call(row) >= 0);
			if (row == 7)
				pthread_mutex_unlock(&mutex);
			msgctl(queue, IPC_RMID, NULL);
			semctl(set, 0, IPC_RMID);
		}
	}
	return 0;
}
