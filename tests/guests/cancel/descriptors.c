/* Cancellation of calls on pipes, sockets, files and queues. */
#include "cancel/points.h"
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

static int empty[2], full[2], sockets[2], listener, queue, locked;
static mqd_t posix_queue;
static char fifo[64], byte[4096];
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t length = sizeof address;
static struct iovec part = { byte, 1 };
static struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
static struct { long type; char text[8]; } mail = { .type = 1 };

static volatile ssize_t ignored;

static void by_read(void) { ignored = read(empty[0], byte, 1); }
static void by_readv(void) { ignored = readv(empty[0], &part, 1); }
static void by_write(void) { ignored = write(full[1], byte, 1); }
static void by_writev(void) { ignored = writev(full[1], &part, 1); }
static void by_recv(void) { recv(sockets[0], byte, 1, 0); }
static void by_recvfrom(void) { recvfrom(sockets[0], byte, 1, 0, NULL, NULL); }
static void by_recvmsg(void) { recvmsg(sockets[0], &message, 0); }
static void by_recvmmsg(void) { struct mmsghdr m = { .msg_hdr = message }; recvmmsg(sockets[0], &m, 1, 0, NULL); }
static void by_send(void) { send(sockets[1], byte, 1, 0); }
static void by_sendto(void) { sendto(sockets[1], byte, 1, 0, NULL, 0); }
static void by_sendmsg(void) { sendmsg(sockets[1], &message, 0); }
static void by_accept(void) { accept(listener, NULL, NULL); }
static void by_accept4(void) { accept4(listener, NULL, NULL, 0); }
static void by_open(void) { ignored = open(fifo, O_RDONLY); }
static void by_openat(void) { ignored = openat(AT_FDCWD, fifo, O_WRONLY); }
__attribute__((unused)) static void by_fcntl(void) { struct flock l = { .l_type = F_WRLCK }; fcntl(locked, F_OFD_SETLKW, &l); }
static void by_msgrcv(void) { msgrcv(queue, &mail, 8, 5, 0); }
static void by_mq_receive(void) { mq_receive(posix_queue, byte, 64, NULL); }
static void by_mq_timedreceive(void) { struct timespec t = in_units(CLOCK_REALTIME, 99); mq_timedreceive(posix_queue, byte, 64, NULL, &t); }

/* The socket pair that by_send uses is filled in the direction that by_recv does not look at. */
static void fill(int fd)
{
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	while (write(fd, byte, sizeof byte) > 0)
		;
	while (write(fd, byte, 1) > 0)
		;
	MUST(fcntl(fd, F_SETFL, 0) == 0);
}

int main(void)
{
	MUST(pipe(empty) == 0 && pipe(full) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	fill(full[1]);
	fill(sockets[1]);
	/* Reading happens on a pair of its own, or it would find what fills this one. */
	int others[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, others) == 0);
	MUST(dup2(others[0], 200) == 200);
	sockets[0] = 200;
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) == 0 && listen(listener, 1) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	char dir[] = "/tmp/guest-cancel-XXXXXX", path[64];
	MUST(mkdtemp(dir));
	snprintf(fifo, sizeof fifo, "%s/fifo", dir);
	snprintf(path, sizeof path, "%s/file", dir);
	MUST(mkfifo(fifo, 0600) == 0);
	int holder = open(path, O_RDWR | O_CREAT, 0600);
	locked = open(path, O_RDWR);
	MUST(fcntl(holder, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK }) == 0);
	queue = msgget(IPC_PRIVATE, 0600);
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 64 };
	snprintf(path, sizeof path, "/guest-cancel-%d", getpid());
	posix_queue = mq_open(path, O_RDWR | O_CREAT, 0600, &attributes);
	MUST(queue >= 0 && posix_queue != (mqd_t)-1);
	mq_unlink(path);
	struct point points[] = {
		{ "read", by_read, NULL },
		{ "readv", by_readv, NULL },
		{ "write", by_write, NULL },
		{ "writev", by_writev, NULL },
		{ "recv", by_recv, NULL },
		{ "recvfrom", by_recvfrom, NULL },
		{ "recvmsg", by_recvmsg, NULL },
		{ "recvmmsg", by_recvmmsg, NULL },
		{ "send", by_send, NULL },
		{ "sendto", by_sendto, NULL },
		{ "sendmsg", by_sendmsg, NULL },
		{ "accept", by_accept, NULL },
		{ "accept4", by_accept4, NULL },
		{ "open", by_open, NULL },
		{ "openat", by_openat, NULL },
/* Musl knows no waits for locks of this kind. */
#ifndef MUSL_H
		{ "fcntl", by_fcntl, NULL },
#endif
		{ "msgrcv", by_msgrcv, NULL },
		{ "mq_receive", by_mq_receive, NULL },
		{ "mq_timedreceive", by_mq_timedreceive, NULL },
	};
	TRY(points);
	msgctl(queue, IPC_RMID, NULL);
	unlink(fifo);
	snprintf(path, sizeof path, "%s/file", dir);
	unlink(path);
	rmdir(dir);
	return 0;
}
