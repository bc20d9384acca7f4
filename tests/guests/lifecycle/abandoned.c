/* Waits of many kinds that nobody ends, begun at once; then a child's, then those of a program executed. With an argument
 * the guest computes until its parent is dead, while the waits are under way: a test kills flux-launch there, and all
 * must go on by the real clock. */
#include "guest.h"
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t private_sem, *shared_sem;
static int ends[2], sockets[2], sysv;

static const char *sleeps(void)
{
	struct timespec t = as_timespec(units(1));
	return RESULT(nanosleep(&t, NULL));
}

static const char *polls(void)
{
	struct pollfd set = { .fd = ends[0], .events = POLLIN };
	return RESULT(poll(&set, 1, ms(1)));
}

static const char *selects(void)
{
	fd_set set;
	struct timeval t = as_timeval(units(1));
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	return RESULT(select(ends[0] + 1, &set, NULL, NULL, &t));
}

static const char *epolls(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0);
	return RESULT(epoll_wait(fd, &event, 1, ms(1)));
}

static const char *condition(void)
{
	struct timespec at = in_units(CLOCK_REALTIME, 1);
	pthread_mutex_lock(&mutex);
	const char *result = name(pthread_cond_timedwait(&cond, &mutex, &at));
	pthread_mutex_unlock(&mutex);
	return result;
}

static const char *semaphore(void)
{
	struct timespec at = in_units(CLOCK_REALTIME, 1);
	return RESULT(sem_timedwait(&private_sem, &at));
}

static const char *semaphore_shared(void)
{
	struct timespec at = in_units(CLOCK_REALTIME, 1);
	return RESULT(sem_timedwait(shared_sem, &at));
}

static const char *locks(void)
{
	struct timespec at = in_units(CLOCK_REALTIME, 1);
	return name(pthread_mutex_timedlock(&held, &at));
}

static const char *read_locks(void)
{
	struct timespec at = in_units(CLOCK_REALTIME, 1);
	return name(pthread_rwlock_timedrdlock(&rwlock, &at));
}

static const char *receives(void)
{
	char byte;
	struct timeval t = as_timeval(units(1));
	MUST(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
	return RESULT(recv(sockets[0], &byte, 1, 0));
}

static const char *sysv_semaphore(void)
{
	struct sembuf take = { .sem_op = -1 };
	struct timespec t = as_timespec(units(1));
	return RESULT(semtimedop(sysv, &take, 1, &t));
}

static struct wait {
	const char *what;
	const char *(*body)(void);
	char result[24];
	int after;
} waits[] = {
	{ .what = "nanosleep", .body = sleeps },
	{ .what = "poll", .body = polls },
	{ .what = "select", .body = selects },
	{ .what = "epoll_wait", .body = epolls },
	{ .what = "pthread_cond_timedwait", .body = condition },
	{ .what = "sem_timedwait", .body = semaphore },
	{ .what = "sem_timedwait, shared", .body = semaphore_shared },
	{ .what = "pthread_mutex_timedlock", .body = locks },
	{ .what = "pthread_rwlock_timedrdlock", .body = read_locks },
	{ .what = "recv", .body = receives },
	{ .what = "semtimedop", .body = sysv_semaphore },
};
enum { WAITS = sizeof waits / sizeof *waits };

static void *one(void *at)
{
	struct wait *wait = at;
	start();
	snprintf(wait->result, sizeof wait->result, "%s", wait->body());
	wait->after = after(1);
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argv;
	pthread_t threads[WAITS];
	pid_t parent = getppid();
	MUST(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	MUST((sysv = semget(IPC_PRIVATE, 1, 0600)) >= 0);
	shared_sem = shared(sizeof *shared_sem);
	sem_init(&private_sem, 0, 0);
	sem_init(shared_sem, 1, 0);
	pthread_mutex_lock(&held);
	pthread_rwlock_wrlock(&rwlock);
	for (int i = 0; i < WAITS; i++)
		threads[i] = thread(one, &waits[i]);
	if (argc > 1) {
		say("ready");
		while (getppid() == parent)
			;
	}
	for (int i = 0; i < WAITS; i++) {
		join(threads[i]);
		say("%s: %s after %d", waits[i].what, waits[i].result, waits[i].after);
	}
	semctl(sysv, 0, IPC_RMID);

	start();
	pid_t child = fork();
	if (child == 0) {
		nap(1);
		_exit(7);
	}
	int code = reap(child);
	say("child: %d after %d", code, after(1));
	say("shell: %d", system("sleep 0.01; sleep 0.01") == 0);
	return 0;
}
