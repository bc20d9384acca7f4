/* flock(2), fcntl(F_SETLKW) and F_OFD_SETLKW, lockf(3): contention with processes that sleep while they hold the lock. */
#include "guest.h"
#include <sys/file.h>

static char path[] = "/tmp/guest-lock-XXXXXX";

static int record_lock(int fd, int command, short type, off_t from)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = 1 };
	return fcntl(fd, command, &lock);
}

static int lock(int how, int fd, bool wait)
{
	switch (how) {
	case 0: return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
	case 1: return record_lock(fd, wait ? F_SETLKW : F_SETLK, F_WRLCK, 0);
	case 2: return record_lock(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, F_WRLCK, 0);
	default: return lockf(fd, wait ? F_LOCK : F_TLOCK, 1);
	}
}

/* A process that holds the lock for a while and says by a pipe when it has it. */
static pid_t holder(int how, double n)
{
	int ready[2];
	char byte;
	MUST(pipe(ready) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		int fd = open(path, O_RDWR);
		MUST(lock(how, fd, true) == 0);
		MUST(write(ready[1], "x", 1) == 1);
		nap(n);
		_exit(0);
	}
	MUST(read(ready[0], &byte, 1) == 1);
	close(ready[0]), close(ready[1]);
	return child;
}

static pthread_t waiter;

static void *interrupter(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

static void nothing(int number)
{
	(void)number;
}

int main(void)
{
	int fd = mkstemp(path);
	MUST(fd >= 0);
	waiter = pthread_self();
	static const char *const kinds[] = { "flock", "F_SETLKW", "F_OFD_SETLKW", "lockf" };
	for (int how = 0; how < 4; how++) {
		pid_t child = holder(how, 2.3);
		say("%s, no waiting: %s", kinds[how], RESULT(lock(how, fd, false)));
		REPORT(2, kinds[how], lock(how, fd, true));
		say("holder %d", reap(child));
		close(fd);
		MUST((fd = open(path, O_RDWR)) >= 0);

		child = holder(how, 2.6);
		on_signal(SIGUSR1, nothing, 0);
		pthread_t other = thread(interrupter, NULL);
		REPORT(1, "interrupted", lock(how, fd, true));
		join(other);
		on_signal(SIGUSR1, nothing, SA_RESTART);
		other = thread(interrupter, NULL);
		REPORT(1, "SA_RESTART", lock(how, fd, true));
		join(other);
		reap(child);
		close(fd);
		MUST((fd = open(path, O_RDWR)) >= 0);
	}

	/* Two processes, each waits for what the other has: the kernel refuses the second. */
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		MUST(record_lock(fd, F_SETLK, F_WRLCK, 1) == 0);
		nap(1);
		MUST(record_lock(fd, F_SETLKW, F_WRLCK, 2) == 0);
		_exit(0);
	}
	MUST(record_lock(fd, F_SETLK, F_WRLCK, 2) == 0);
	nap(2);
	REPORT(0, "a circle", record_lock(fd, F_SETLKW, F_WRLCK, 1));
	MUST(record_lock(fd, F_SETLK, F_UNLCK, 2) == 0);
	say("child %d", reap(child));

	/* A holder that is killed lets go. */
	child = holder(0, 1000);
	pid_t killer = fork();
	MUST(killer >= 0);
	if (killer == 0) {
		nap(1.3);
		kill(child, SIGKILL);
		_exit(0);
	}
	REPORT(1, "the holder is killed", flock(fd, LOCK_EX));
	say("holder %d, killer %d", reap(child), reap(killer));
	unlink(path);
	return 0;
}
