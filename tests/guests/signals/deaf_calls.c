/* Waits until some instant in calls that take no set of signals, where nothing that could be waited for together with anything else
 * tells of their end: a semaphore while the program uses all signals itself, one that processes share while a handler restarts calls,
 * a full listener, a full peer that the call names, and signals without a descriptor left. A handler always ends them, and what they
 * wait for does before later instants come. */
#include "guest.h"
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/un.h>

enum { ROUNDS = 8 };

static int semaphores, listener, dials, peer, posts;
static struct sockaddr_un door = { .sun_family = AF_UNIX }, box = { .sun_family = AF_UNIX };
static socklen_t door_length = sizeof door, box_length = sizeof box;
static sem_t *common;
static pthread_t waiter;
static pid_t waiter_id;
static int state;
static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

static void limit(int fd, double n)
{
	struct timeval t = as_timeval(units(n));
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0);
}

static void descriptors(rlim_t n)
{
	struct rlimit limit;
	MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = n;
	MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static long take(double n)
{
	struct sembuf operation = { .sem_num = 0, .sem_op = -1 };
	struct timespec t = as_timespec(units(n));
	return semtimedop(semaphores, &operation, 1, &t);
}

static void give(void)
{
	struct sembuf operation = { .sem_num = 0, .sem_op = 1 };
	MUST(semop(semaphores, &operation, 1) == 0);
}

static long down(double n)
{
	struct timespec until = in_units(CLOCK_REALTIME, n);
	return sem_timedwait(common, &until);
}

static void up(void)
{
	MUST(sem_post(common) == 0);
}

static long dial(double n)
{
	limit(dials, n);
	return connect(dials, (struct sockaddr *)&door, door_length);
}

static void answer(void)
{
	int fd = accept(listener, NULL, NULL);
	MUST(fd >= 0 && close(fd) == 0);
}

static long post(double n)
{
	limit(posts, n);
	return sendto(posts, "x", 1, 0, (struct sockaddr *)&box, box_length);
}

static void empty(void)
{
	char byte;
	MUST(recv(peer, &byte, 1, 0) == 1);
}

static long expect(double n)
{
	struct timespec t = as_timespec(units(n));
	sigset_t usr2;
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	return sigtimedwait(&usr2, NULL, &t) == SIGUSR2 ? 0 : -1;
}

static void send_usr2(void)
{
	MUST(pthread_kill(waiter, SIGUSR2) == 0);
}

static volatile sig_atomic_t calls;

/* Is the waiter asleep in the call? A handler that runs before it is there ends nothing. */
static bool asleep(void)
{
	char text[512] = "";
	MUST(pread(state, text, sizeof text - 1, 0) > 0);
	return calls && strstr(text, ") S");
}

/* At any moment of a slice, or between two: after a computation of up to a millisecond or so, by a system call in line, for which
 * nobody waits until the other is asleep again. */
static void *interrupts(void *unused)
{
	static unsigned random = 1;
	nap(0.1);
	while (!asleep())
		;
	random = random * 1103515245 + 12345;
	for (volatile unsigned i = 0, n = random / 65536 % 1000 * 1000; i < n; i++)
		;
	long answer;
	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "a"((long)SYS_tgkill), "D"((long)getpid()), "S"((long)waiter_id), "d"((long)SIGUSR1)
			 : "rcx", "r11", "memory");
	MUST(answer == 0);
	return unused;
}

static void (*help)(void);

static void *helps(void *unused)
{
	nap(1.3);
	help();
	nap(1);
	return unused;
}

static long (*cancelled)(double);

static void *is_cancelled(void *unused)
{
	cancelled(9);
	return unused;
}

static void cancel(const char *name, long (*call)(double))
{
	cancelled = call;
	pthread_t other = thread(is_cancelled, NULL);
	nap(0.3);
	start();
	MUST(pthread_cancel(other) == 0);
	bool did = join(other) == PTHREAD_CANCELED;
	int elapsed = after(0);
	say("%s: cancelled %d after %d", name, did, elapsed);
}

/* With the first argument 1, in handlers that restart calls alone. */
static void in_if(int restarts, const char *name, long (*call)(double), void (*helper)(void))
{
	REPORT(1, name, call(1));
	for (int restart = restarts; restart < 2; restart++) {
		on_signal(SIGUSR1, handler, restart ? SA_RESTART : 0);
		int interrupted = 0;
		handled = 0;
		for (int i = 0; i < ROUNDS; i++) {
			pthread_t other = thread(interrupts, NULL);
			calls = true;
			interrupted += call(999) < 0 && errno == EINTR;
			calls = false;
			join(other);
		}
		say("%s: %d of %d interrupted", name, interrupted, handled);
	}
	help = helper;
	pthread_t other = thread(helps, NULL);
	REPORT(1, name, call(9) >= 0 ? 0 : -1);
	join(other);
}

static void in(const char *name, long (*call)(double), void (*helper)(void))
{
	in_if(0, name, call, helper);
}

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *locks(void *unused)
{
	struct timespec until = in_units(CLOCK_REALTIME, 2);
	return pthread_rwlock_timedwrlock(&lock, &until) == ETIMEDOUT ? &lock : unused;
}

/* Others wake up now and then, too. */
static void beside_a_lock(void)
{
	MUST(pthread_rwlock_wrlock(&lock) == 0);
	pthread_t others[6];
	for (int i = 0; i < 6; i++)
		others[i] = thread(locks, NULL);
	REPORT(1, "beside locks", down(1));
	int ended = 0;
	for (int i = 0; i < 6; i++)
		ended += join(others[i]) == &lock;
	say("locks ended: %d", ended);
}

int main(void)
{
	waiter = pthread_self();
	waiter_id = gettid();
	state = open("/proc/thread-self/stat", O_RDONLY);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	MUST(semaphores >= 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&door, sizeof door.sun_family) == 0 && listen(listener, 0) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&door, &door_length) == 0);
	dials = socket(AF_UNIX, SOCK_STREAM, 0);
	REPORT(0, "room", dial(2));
	dials = socket(AF_UNIX, SOCK_STREAM, 0);
	peer = socket(AF_UNIX, SOCK_DGRAM, 0);
	MUST(bind(peer, (struct sockaddr *)&box, sizeof box.sun_family) == 0);
	MUST(getsockname(peer, (struct sockaddr *)&box, &box_length) == 0);
	posts = socket(AF_UNIX, SOCK_DGRAM, 0);
	while (sendto(posts, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&box, box_length) == 1)
		;
	on_signal(SIGURG, handler, 0);
	sigset_t usr2;
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	MUST(pthread_sigmask(SIG_BLOCK, &usr2, NULL) == 0);

	in("semtimedop", take, give);
	MUST(semctl(semaphores, 0, IPC_RMID) == 0);
	common = shared(sizeof *common);
	MUST(sem_init(common, 1, 0) == 0);
	in_if(1, "sem_timedwait", down, up);
	beside_a_lock();
	cancel("connect", dial);
	in("connect", dial, answer);
	cancel("sendto", post);
	in("sendto", post, empty);
	in("sigtimedwait", expect, send_usr2);
	descriptors(3);
	cancel("no descriptor left", expect);
	in("no descriptor left", expect, send_usr2);
	return 0;
}
