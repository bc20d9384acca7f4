/* Who takes the signal of a timer counts its overruns, however it does that; and a signal that is pending stays so until then: whoever
 * lets it in finds its handler run. */
#include "guest.h"
#include <sys/syscall.h>

static timer_t timer;
static volatile sig_atomic_t runs, overrun, counted, value;

static void tells(int number, siginfo_t *info, void *context)
{
	MUST(info->si_signo == number && info->si_code == SI_TIMER && context);
	overrun = info->si_overrun;
	value = info->si_value.sival_int;
	counted = timer_getoverrun(timer);
	runs++;
}

static void plain(int number)
{
	(void)number;
	counted = timer_getoverrun(timer);
	runs++;
}

static void *same(void *unused)
{
	return unused;
}

static timer_t make(int number, int with)
{
	timer_t made;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = number, .sigev_value.sival_int = with };
	MUST(timer_create(CLOCK_MONOTONIC, &event, &made) == 0);
	return made;
}

static void set(timer_t which, double first, double every)
{
	struct itimerspec t = { as_timespec(units(every)), as_timespec(units(first)) };
	MUST(timer_settime(which, 0, &t, NULL) == 0);
}

static sigset_t only(int number)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	return set;
}

static void let_in(int number, bool in)
{
	sigset_t set = only(number);
	MUST(sigprocmask(in ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL) == 0);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags };
	MUST(sigaction(number, &action, NULL) == 0);
}

/* As a runtime with system calls of its own installs its handlers. */
static void behind_libc(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags, restorer, mask;
	} action;
	MUST(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &action, sizeof action.mask) == 0);
	action.handler = plain;
	action.flags &= ~(unsigned long)SA_SIGINFO;
	MUST(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, sizeof action.mask) == 0);
}

/* Three expirations are pending, and then come two more. */
static void held_back(const char *what)
{
	runs = overrun = counted = 0;
	let_in(SIGUSR1, false);
	set(timer, 1, 1);
	nap(3.5);
	let_in(SIGUSR1, true);
	say("%s: at once %d, overrun %d, counted %d", what, (int)runs, (int)overrun, (int)counted);
	nap(1);
	say("%s: next %d, overrun %d, counted %d", what, (int)runs, (int)overrun, (int)counted);
	nap(1);
	set(timer, 0, 0);
	say("%s: in all %d, overruns %d", what, (int)runs, timer_getoverrun(timer));
}

static void actions(void)
{
	struct sigaction seen;
	MUST(sigaction(SIGUSR1, NULL, &seen) == 0);
	say("seen: tells %d, flags %x, mask %d", seen.sa_sigaction == tells, (unsigned)seen.sa_flags & ~0x04000000u,
	    sigismember(&seen.sa_mask, SIGUSR2));
	struct sigaction action = { .sa_handler = plain, .sa_flags = SA_NODEFER };
	MUST(sigaction(SIGUSR1, &action, &seen) == 0);
	say("before: tells %d, flags %x", seen.sa_sigaction == tells, (unsigned)seen.sa_flags & ~0x04000000u);
	MUST(sigaction(SIGUSR1, &action, &seen) == 0);
	say("before: plain %d, flags %x", seen.sa_handler == plain, (unsigned)seen.sa_flags & ~0x04000000u);
	say("signal: plain %d", signal(SIGUSR1, SIG_IGN) == plain);
	say("signal: ignored %d", signal(SIGUSR1, plain) == SIG_IGN);
	runs = 0;
	raise(SIGUSR1);
	pid_t child = fork();
	if (child == 0) {
		raise(SIGUSR1);
		MUST(sigaction(SIGUSR1, NULL, &seen) == 0);
		_exit(runs * 10 + (seen.sa_handler == plain));
	}
	say("raised: %d, in a child %d", (int)runs, reap(child));
	action.sa_flags = SA_RESETHAND;
	MUST(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	MUST(sigaction(SIGUSR1, NULL, &seen) == 0);
	say("once: %d, then default %d", (int)runs, seen.sa_handler == SIG_DFL);
}

/* Always pending again in a moment. */
static void at_any_moment(void)
{
	enum { ROUNDS = FEWER(300, 30) };
	const struct timespec moment = { 0, 20000 };
	struct itimerspec every = { { 0, 100000 }, { 0, 1 } }, never = { { 0, 0 }, { 0, 0 } };
	let_in(SIGUSR1, false);
	MUST(timer_settime(timer, 0, &every, NULL) == 0);
	int seen = 0;
	for (int i = 0; i < ROUNDS; i++) {
		sigset_t pending;
		do {
			MUST(nanosleep(&moment, NULL) == 0 && sigpending(&pending) == 0);
		} while (!sigismember(&pending, SIGUSR1));
		sig_atomic_t before = runs;
		let_in(SIGUSR1, true);
		seen += runs != before;
		let_in(SIGUSR1, false);
	}
	MUST(timer_settime(timer, 0, &never, NULL) == 0);
	let_in(SIGUSR1, true);
	say("let in and handled: %s", seen == ROUNDS ? "always" : "not always");
}

int main(void)
{
	/* A thread, so that it is not always the one that takes the signals. */
	join(thread(same, NULL));
	install(SIGUSR1, tells, SA_SIGINFO | SA_RESTART);
	timer = make(SIGUSR1, 11);
	held_back("handler from before");
	say("value %d", (int)value);
	sigset_t usr2 = only(SIGUSR2);
	struct sigaction action = { .sa_sigaction = tells, .sa_flags = SA_SIGINFO, .sa_mask = usr2 };
	MUST(sigaction(SIGUSR1, &action, NULL) == 0);
	held_back("handler");
	actions();
	signal(SIGUSR1, plain);
	held_back("plain handler");
	behind_libc();
	held_back("handler by a system call");
	install(SIGUSR1, tells, SA_SIGINFO);
	at_any_moment();

	/* Two with one number. */
	timer_t both[] = { make(SIGRTMIN, 12), make(SIGRTMIN, 13) };
	signal(SIGRTMIN, plain);
	runs = 0;
	for (int i = 0; i < 2; i++)
		set(both[i], 1, 1);
	nap(4.5);
	for (int i = 0; i < 2; i++)
		set(both[i], 0, 0);
	say("two timers: %d", (int)runs);

	/* Waited for and read. */
	let_in(SIGUSR1, false);
	sigset_t usr1 = only(SIGUSR1);
	set(timer, 1, 1);
	nap(3.5);
	int number;
	MUST(sigwait(&usr1, &number) == 0);
	say("sigwait: %d, counted %d", number == SIGUSR1, timer_getoverrun(timer));
	MUST(sigwait(&usr1, &number) == 0);
	say("sigwait: %d, counted %d", number == SIGUSR1, timer_getoverrun(timer));
	nap(2.5);
	MUST(sigwaitinfo(&usr1, NULL) == SIGUSR1);
	say("sigwaitinfo: counted %d", timer_getoverrun(timer));
	return 0;
}
