/* What libc does by threads of its own: asynchronous I/O and look-ups. Nobody jumps past a request that is under way. */
#include "guest.h"
#include <aio.h>
#include <mqueue.h>
#include <netdb.h>
#include <semaphore.h>

static volatile int signalled, called;
static sem_t notified;

static void on_completion(int number)
{
	(void)number;
	signalled++;
}

static void on_thread(union sigval value)
{
	called += value.sival_int;
	sem_post(&notified);
}

static struct aiocb request(int fd, void *buffer, size_t n)
{
	struct aiocb r = { .aio_fildes = fd, .aio_buf = buffer, .aio_nbytes = n };
	r.aio_sigevent.sigev_notify = SIGEV_NONE;
	return r;
}

static void *writes(void *fd)
{
	nap(1.3);
	MUST(write((int)(intptr_t)fd, "later", 5) == 5);
	return NULL;
}

static void *sends(void *queue)
{
	nap(1.3);
	MUST(mq_send((mqd_t)(intptr_t)queue, "x", 1, 0) == 0);
	return NULL;
}

static void *interrupts(void *whom)
{
	nap(1.3);
	MUST(pthread_kill(*(pthread_t *)whom, SIGUSR1) == 0);
	return NULL;
}

int main(void)
{
	static char text[1 << 20], got[1 << 20];
	char path[] = "/tmp/aio-XXXXXX";
	int fd = mkstemp(path);
	MUST(fd >= 0 && unlink(path) == 0);

	/* Many writes, and a sleep of nothing but patience until they are done. */
	struct aiocb many[16], *list[16];
	for (int i = 0; i < 16; i++) {
		many[i] = request(fd, text, sizeof text);
		many[i].aio_offset = (off_t)i * (off_t)sizeof text;
		many[i].aio_lio_opcode = LIO_WRITE;
		list[i] = &many[i];
	}
	on_signal(SIGUSR1, on_completion, 0);
	struct sigevent by_signal = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	MUST(lio_listio(LIO_NOWAIT, list, 16, &by_signal) == 0);
	int naps = 0;
	while (!signalled && naps < 100) {
		nap(1);
		naps++;
	}
	int done = 0;
	for (int i = 0; i < 16; i++)
		done += aio_error(&many[i]) == 0 && aio_return(&many[i]) == sizeof text;
	say("lio_listio: %d done, %s", done, naps < 100 ? "in time" : "late");
	MUST(lio_listio(LIO_WAIT, list, 16, NULL) == 0);
	say("LIO_WAIT: %s", name(aio_error(&many[15])));

	struct aiocb sync = request(fd, NULL, 0);
	MUST(aio_fsync(O_SYNC, &sync) == 0);
	const struct aiocb *one[] = { &sync };
	MUST(aio_suspend(one, 1, NULL) == 0);
	say("aio_fsync: %s", name(aio_error(&sync)));

	/* A read that has to wait, by a time-out and without. */
	int ends[2];
	MUST(pipe(ends) == 0);
	struct aiocb reading = request(ends[0], got, 5);
	MUST(aio_read(&reading) == 0);
	const struct aiocb *two[] = { NULL, &reading };
	struct timespec timeout = as_timespec(units(2));
	REPORT(2, "aio_suspend", aio_suspend(two, 2, &timeout));
	pthread_t t, me = pthread_self();
	for (int i = 0; i < 3; i++) {
		timeout = as_timespec(units(9));
		t = thread(interrupts, &me);
		REPORT(1, "aio_suspend, interrupted", aio_suspend(two, 2, &timeout));
		join(t);
	}
	start();
	t = thread(writes, (void *)(intptr_t)ends[1]);
	timeout = as_timespec(units(50));
	int result = aio_suspend(two, 2, &timeout);
	say("aio_suspend of what comes: %d after %d, %zd", result, after(1.3), aio_return(&reading));
	join(t);
	struct aiocb again = request(ends[0], got, 5);
	again.aio_sigevent = (struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 3 };
	again.aio_sigevent.sigev_notify_function = on_thread;
	MUST(sem_init(&notified, 0, 0) == 0 && aio_read(&again) == 0);
	start();
	t = thread(writes, (void *)(intptr_t)ends[1]);
	while (sem_wait(&notified) != 0)
		;
	say("SIGEV_THREAD: %d after %d", called, after(1.3));
	join(t);

	/* The same by the other names that libc has for them, and by a write. */
	struct aiocb64 at64 = { .aio_fildes = fd, .aio_buf = text, .aio_nbytes = 4096, .aio_lio_opcode = LIO_READ }, *all64[] = { &at64 };
	const struct aiocb64 *const wait64[] = { &at64 };
	at64.aio_sigevent.sigev_notify = SIGEV_NONE;
#define DONE64(what, call) \
	do { \
		MUST((call) == 0); \
		while (aio_suspend64(wait64, 1, NULL) != 0) \
			; \
		say(what ": %s", name(aio_error64(&at64))); \
	} while (0)
	DONE64("aio_write64", aio_write64(&at64));
	DONE64("aio_read64", aio_read64(&at64));
	DONE64("aio_fsync64", aio_fsync64(O_SYNC, &at64));
	DONE64("lio_listio64", lio_listio64(LIO_WAIT, all64, 1, NULL));
	struct aiocb writing = request(fd, text, 4096);
	MUST(aio_write(&writing) == 0);
	one[0] = &writing;
	while (aio_suspend(one, 1, NULL) != 0)
		;
	say("aio_write: %zd", aio_return(&writing));

	/* A message that comes to a queue. */
	char queue_name[32];
	snprintf(queue_name, sizeof queue_name, "/requests-%d", getpid());
	mqd_t queue = mq_open(queue_name, O_RDWR | O_CREAT, 0600, NULL);
	MUST(queue >= 0 && mq_unlink(queue_name) == 0);
	struct sigevent by_thread = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 4, .sigev_notify_function = on_thread };
	start();
	MUST(mq_notify(queue, &by_thread) == 0);
	t = thread(sends, (void *)(intptr_t)queue);
	while (sem_wait(&notified) != 0)
		;
	say("mq_notify: %d after %d", called, after(1.3));
	join(t);

#ifndef MUSL_H
	struct gaicb look_up = { .ar_name = "127.0.0.1" }, *look_ups[] = { &look_up };
	MUST(getaddrinfo_a(GAI_NOWAIT, look_ups, 1, NULL) == 0);
	const struct gaicb *const both[] = { &look_up };
	timeout = as_timespec(units(100));
	while (gai_error(&look_up) == EAI_INPROGRESS)
		gai_suspend(both, 1, &timeout);
	say("getaddrinfo_a: %d", gai_error(&look_up));
#endif
	return 0;
}
