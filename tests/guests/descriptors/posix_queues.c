/* POSIX message queues: mq_receive, mq_send and their timed forms on empty and full queues. */
#include "guest.h"
#include <mqueue.h>

static mqd_t queue;

static void *sender(void *unused)
{
	nap(1.3);
	MUST(mq_send(queue, "hello", 5, 3) == 0);
	return unused;
}

static void *receiver(void *unused)
{
	char bytes[16];
	nap(1.3);
	MUST(mq_receive(queue, bytes, 16, NULL) >= 0);
	return unused;
}

static ssize_t receive(char *bytes, double n)
{
	struct timespec deadline = in_units(CLOCK_REALTIME, n);
	return mq_timedreceive(queue, bytes, 16, NULL, &deadline);
}

static int transmit(double n)
{
	struct timespec deadline = in_units(CLOCK_REALTIME, n);
	return mq_timedsend(queue, "x", 1, 0, &deadline);
}

int main(void)
{
	char path[64];
	snprintf(path, sizeof path, "/guest-queue-%d", getpid());
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 16 };
	queue = mq_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	MUST(queue != (mqd_t)-1);
	mq_unlink(path);
	GUARDED(char[16]) g;
	GUARDED(unsigned) priority;
	guard(&g);
	guard(&priority);

	pthread_t other = thread(sender, NULL);
	REPORT(1, "receive", mq_receive(queue, g.value, 16, &priority.value));
	say("%.5s, priority %u, guards %d", g.value, priority.value, guard_ok(&g) && guard_ok(&priority));
	join(other);
	other = thread(sender, NULL);
	REPORT(1, "timedreceive in time", receive(g.value, 5));
	join(other);
	REPORT(2, "timedreceive", receive(g.value, 2));
	REPORT(0, "past", receive(g.value, -1));
	struct timespec bad = { 1, 1000000000 };
	say("bad time: %s", RESULT(mq_timedreceive(queue, g.value, 16, NULL, &bad)));
	say("too small: %s", RESULT(mq_receive(queue, g.value, 15, NULL)));

	MUST(transmit(1) == 0 && transmit(1) == 0);
	REPORT(2, "timedsend", transmit(2));
	REPORT(0, "past", transmit(-1));
	other = thread(receiver, NULL);
	REPORT(1, "timedsend in time", transmit(5));
	join(other);
	other = thread(receiver, NULL);
	REPORT(1, "send", mq_send(queue, "x", 1, 0));
	join(other);
	MUST(receive(g.value, 1) == 1 && receive(g.value, 1) == 1);

	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		sender(NULL);
		_exit(0);
	}
	REPORT(1, "from a process", mq_receive(queue, g.value, 16, NULL));
	say("child %d", reap(child));
	return 0;
}
