/* The same waits by the other names that libc has for them. */
#include "guest.h"
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

static char path[64];
static int ends[2];

static void *opens(void *unused)
{
	nap(1.3);
	int fd = open(path, O_RDONLY);
	nap(1);
	close(fd);
	return unused;
}

#define OPENED(what, call) \
	do { \
		start(); \
		pthread_t t = thread(opens, NULL); \
		int fd = (call); \
		say(what ": %s after %d", fd >= 0 ? "ok" : name(errno), after(1.3)); \
		join(t); \
		close(fd); \
	} while (0)

static void *writes(void *unused)
{
	nap(1.3);
	MUST(write(ends[1], "12345678", 8) == 8);
	return unused;
}

#define READ(what, call) \
	do { \
		start(); \
		pthread_t t = thread(writes, NULL); \
		const char *result = RESULT(call); \
		say(what ": %s after %d", result, after(1.3)); \
		join(t); \
		MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0); \
		char rest[16]; \
		while (read(ends[0], rest, sizeof rest) > 0) \
			; \
		MUST(fcntl(ends[0], F_SETFL, 0) == 0); \
	} while (0)

/* Holds the lock of the file for a while, in a process of its own. */
static void locked(int fd, const char *what, int (*lock)(int))
{
	int ready[2];
	MUST(pipe(ready) == 0);
	start();
	pid_t child = fork();
	if (child == 0) {
		MUST(lock(fd) == 0 && write(ready[1], "x", 1) == 1);
		nap(1.3);
		_exit(0);
	}
	char c;
	MUST(read(ready[0], &c, 1) == 1);
	const char *result = RESULT(lock(fd));
	say("%s: %s after %d", what, result, after(1.3));
	reap(child);
	close(ready[0]);
	close(ready[1]);
	struct flock all = { .l_type = F_UNLCK };
	fcntl(fd, F_SETLK, &all);
}

static int by_lockf64(int fd) { return lockf64(fd, F_LOCK, 0); }
static int by_fcntl64(int fd)
{
	struct flock64 all = { .l_type = F_WRLCK };
	return fcntl64(fd, F_SETLKW64, &all);
}

int main(void)
{
	snprintf(path, sizeof path, "/tmp/names-%d", getpid());
	MUST(mkfifo(path, 0600) == 0);
	OPENED("open64", open64(path, O_WRONLY));
	OPENED("openat64", openat64(AT_FDCWD, path, O_WRONLY));
#ifndef MUSL_H
	OPENED("__open_2", __open_2(path, O_WRONLY));
	OPENED("__open64_2", __open64_2(path, O_WRONLY));
	OPENED("__openat_2", __openat_2(AT_FDCWD, path, O_WRONLY));
	OPENED("__openat64_2", __openat64_2(AT_FDCWD, path, O_WRONLY));
#endif
	OPENED("creat", creat(path, 0600));
	OPENED("creat64", creat64(path, 0600));
	unlink(path);

	MUST(pipe(ends) == 0);
	int out[2];
	MUST(pipe(out) == 0);
	char buffer[8];
	struct iovec part = { buffer, 8 };
	READ("splice", splice(ends[0], NULL, out[1], NULL, 8, 0));
	READ("tee", tee(ends[0], out[1], 8, 0));
	READ("preadv2", preadv2(ends[0], &part, 1, -1, 0));
	READ("preadv64v2", preadv64v2(ends[0], &part, 1, -1, 0));
	READ("pread", pread(ends[0], buffer, 8, 0) + (errno == ESPIPE ? read(ends[0], buffer, 8) + 1 : 0));
	int pair[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ends[0] = pair[0], ends[1] = pair[1];
	READ("readv of a socket", readv(ends[0], &part, 1));
	ends[0] = ends[1] = eventfd(0, 0);
	uint64_t value;
	READ("eventfd_read", eventfd_read(ends[0], &value));
	MUST(eventfd_write(ends[1], 1) == 0);

	/* What fills a pipe waits for a reader. */
	int full[2];
	MUST(pipe(full) == 0 && fcntl(full[1], F_SETPIPE_SZ, 4096) == 4096);
	static char page[4096];
	char file[] = "/tmp/names-XXXXXX";
	int fd = mkstemp(file);
	MUST(fd >= 0 && unlink(file) == 0);
	MUST(pwrite(fd, page, 4096, 0) == 4096 && pwrite64(fd, page, 10, 4096) == 10 && pread64(fd, page, 10, 0) == 10);
	part = (struct iovec){ page, 10 };
	MUST(pwritev(fd, &part, 1, 0) == 10 && pwritev64(fd, &part, 1, 0) == 10 && preadv(fd, &part, 1, 0) == 10);
	MUST(preadv64(fd, &part, 1, 0) == 10 && pwritev2(fd, &part, 1, 0, 0) == 10 && pwritev64v2(fd, &part, 1, 0, 0) == 10);
	ends[0] = full[0];
#define FILLED(what, call) \
	do { \
		MUST(write(full[1], page, 4096) == 4096); \
		start(); \
		pid_t child = fork(); \
		if (child == 0) { \
			nap(1.3); \
			MUST(read(full[0], page, 4096) == 4096); \
			_exit(0); \
		} \
		const char *result = RESULT(call); \
		say(what ": %s after %d", result, after(1.3)); \
		reap(child); \
		MUST(read(full[0], page, 10) == 10); \
	} while (0)
	off_t at = 0;
	off64_t at64 = 0;
	FILLED("sendfile", sendfile(full[1], fd, &at, 10));
	FILLED("sendfile64", sendfile64(full[1], fd, &at64, 10));
	FILLED("vmsplice", vmsplice(full[1], &part, 1, 0));

	locked(fd, "lockf64", by_lockf64);
	locked(fd, "fcntl64", by_fcntl64);

	int master, slave;
	MUST(openpty(&master, &slave, NULL, NULL, NULL) == 0 && write(slave, "x", 1) == 1);
	say("tcdrain: %s", RESULT(tcdrain(slave)));
	say("getrandom: %s", RESULT(getrandom(buffer, 8, 0)));
	return 0;
}
