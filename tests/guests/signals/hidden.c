/* How waits are ended and timers are served is not to be seen: not in masks, not by who waits for every signal, not among the
 * open descriptors; and nothing that a program does to all signals or all descriptors takes it away. */
#include "guest.h"
#include <dirent.h>
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>

static int queue_of_semaphores;
static mqd_t queue;

/* One time-out of each kind, a fifth of a unit each. */
static void time_outs(void)
{
	struct timespec fifth = as_timespec(units(0.2)), at;
	struct timeval in = as_timeval(units(0.2));
	struct sembuf take = { .sem_op = -1 };
	char text[8192];
	poll(NULL, 0, ms(0.2));
	select(0, NULL, NULL, NULL, &in);
	MUST(semtimedop(queue_of_semaphores, &take, 1, &fifth) < 0 && errno == EAGAIN);
	at = in_units(CLOCK_REALTIME, 0.2);
	MUST(mq_timedreceive(queue, text, sizeof text, NULL, &at) < 0 && errno == ETIMEDOUT);
	nap(0.2);
}

static void *timing_out(void *unused)
{
	time_outs();
	return unused;
}

static int descriptors(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;
	MUST(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	rewinddir(dir);
	while (readdir64(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static int open_numbers(void)
{
	int count = 0;
	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static const char *mask(void)
{
	static char text[80];
	sigset_t now;
	int count = 0;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int i = 1; i <= 64; i++)
		count += sigismember(&now, i) == 1;
	snprintf(text, sizeof text, "%d blocked", count);
	return text;
}

static int handlers(void)
{
	int count = 0;
	for (int i = 1; i <= 64; i++) {
		struct sigaction now;
		count += sigaction(i, NULL, &now) == 0 && now.sa_handler != SIG_DFL;
	}
	return count;
}

static volatile int caught;

static void on_any(int number)
{
	(void)number;
	caught++;
}

int main(void)
{
	char name_of_queue[32];
	snprintf(name_of_queue, sizeof name_of_queue, "/hidden-%d", getpid());
	MUST((queue_of_semaphores = semget(IPC_PRIVATE, 1, 0600)) >= 0);
	queue = mq_open(name_of_queue, O_RDWR | O_CREAT, 0600, NULL);
	MUST(queue >= 0 && mq_unlink(name_of_queue) == 0);
	int before = descriptors("/proc/self/fd"), numbers = open_numbers();
	char own[40];
	snprintf(own, sizeof own, "/proc/%d/fd", getpid());
	time_outs();
	say("handlers %d, %s", handlers(), mask());
	say("descriptors more: %d %d %d", descriptors("/proc/self/fd") - before, descriptors(own) - before, open_numbers() - numbers);

	/* Everything blocked, and everything waited for, while others time out and timers are under way. */
	sigset_t all, pending;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	say("%s", mask());
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec far = { { 0, 0 }, as_timespec(units(100)) };
	timer_t timer;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &far, NULL) == 0);
	pthread_t t = thread(timing_out, NULL);
	struct timespec two = as_timespec(units(2));
	REPORT(2, "sigtimedwait for all", sigtimedwait(&all, NULL, &two));
	join(t);
	time_outs();
	sigpending(&pending);
	int count = 0;
	for (int i = 1; i <= 64; i++)
		count += sigismember(&pending, i) == 1;
	say("pending %d, %s", count, mask());

	/* Handlers of the program's own for all of them, then none: nobody calls the one, and nothing misses the other. */
	for (int i = 1; i <= 64; i++)
		signal(i, on_any);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	time_outs();
	say("caught %d", caught);
	for (int i = 1; i <= 64; i++)
		signal(i, SIG_IGN);
	start();
	time_outs();
	say("ignored: after %d", after(1));
	for (int i = 1; i <= 64; i++)
		signal(i, SIG_DFL);
	/* All descriptors closed, one by one. */
	for (int fd = 3; fd < 4096; fd++)
		if (fd != queue)
			close(fd);
	close_range(queue + 1, ~0U, 0);
	start();
	time_outs();
	say("closed: after %d", after(1));
	semctl(queue_of_semaphores, 0, IPC_RMID);
	return 0;
}
