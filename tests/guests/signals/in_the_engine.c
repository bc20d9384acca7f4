/* Handlers that run at any instant, also while the clock is being moved: the signals come from a timer of the kernel by real
 * time, the thread that gets them does nothing but sleep for moments that nobody else has a part in. What the handlers post
 * arrives, what they sleep is slept, and no sleep is short. */
#include "guest.h"
#include <semaphore.h>
#include <sys/syscall.h>

enum { SIGNALS = 2000 };

/* A system call that the library does not see: what goes through syscall(2) is virtual like the function of its name. */
static long in_line(long number, long a, long b, long c, long d)
{
	long answer;
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "=a"(answer) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return answer;
}

static sem_t sem;
static volatile int handled, short_naps;
static int taken;

static void checked_nap(double n)
{
	int64_t begun = now_on(CLOCK_MONOTONIC);
	nap(n);
	if (now_on(CLOCK_MONOTONIC) - begun < units(n))
		short_naps++;
}

static void handler(int number)
{
	(void)number;
	int saved = errno;
	handled++;
	sem_post(&sem);
	if (handled % 8 == 0)
		checked_nap(0.001);
	errno = saved;
}

static void *taker(void *unused)
{
	/* The last one says that there are no more. */
	while (sem_wait(&sem) == 0 && ++taken <= SIGNALS)
		;
	return unused;
}

int main(void)
{
	MUST(sem_init(&sem, 0, 0) == 0);
	on_signal(SIGUSR1, handler, 0);
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGUSR1);
	MUST(pthread_sigmask(SIG_BLOCK, &only, NULL) == 0);
	pthread_t other = thread(taker, NULL);
	MUST(pthread_sigmask(SIG_UNBLOCK, &only, NULL) == 0);

	/* Not by timer_create: under flux that one goes by the virtual clock. */
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	event.sigev_notify_thread_id = gettid();
	int timer;
	MUST(in_line(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&timer, 0) == 0);
	struct itimerspec often = { { 0, 97000 }, { 0, 97000 } }, never = { 0 };
	MUST(in_line(SYS_timer_settime, timer, 0, (long)&often, 0) == 0);
	start();
	for (int i = 0; handled < SIGNALS || i < 500; i++)
		checked_nap(0.01);
	MUST(in_line(SYS_timer_settime, timer, 0, (long)&never, 0) == 0);
	after(5);
	MUST(pthread_sigmask(SIG_BLOCK, &only, NULL) == 0);
	int posted = handled;
	for (int i = posted; i <= SIGNALS; i++)
		sem_post(&sem);
	join(other);
	int left;
	MUST(sem_getvalue(&sem, &left) == 0);
	say("all arrived: %d, short naps: %d", taken + left == (posted > SIGNALS ? posted : SIGNALS + 1), short_naps);
	return 0;
}
