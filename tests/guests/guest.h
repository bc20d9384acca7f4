/* What every guest uses. A guest prints only what is the same in every run: never a raw time, a pid or an address.
 *
 * A unit is GUEST_UNIT_MS milliseconds (30 without it), so that one guest can wait for moments and for hours.
 * Elapsed time is printed in whole units, rounded down. The check that nothing ends early is made to the nanosecond.
 */
#ifndef GUEST_H
#define GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

/* How often a guest does what takes a hundred times as long where each time stops for a tracer. What it prints is the same. */
#ifdef FEW
#define FEWER(many, few) (few)
#else
#define FEWER(many, few) (many)
#endif

/* The manual's name of a field that glibc calls by another (sigevent(3type)). */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* One write for each line: lines of threads and of forked children never mix and are never printed twice. */
__attribute__((format(printf, 1, 2), unused)) static void say(const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	line[n++] = '\n';
	ssize_t done = write(1, line, n);
	(void)done;
}

/* For what a test cannot go on without; it is not what is tested. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			say("FAIL line %d: %s (%s)", __LINE__, #condition, strerrorname_np(errno)); \
			_exit(99); \
		} \
	} while (0)

/* The name of an error number; "ok" for 0. */
__attribute__((unused)) static const char *name(int error)
{
	return error == 0 ? "ok" : strerrorname_np(error) ? strerrorname_np(error) : "unknown error";
}

/* The name of errno when a call returned a negative value, otherwise the value. */
__attribute__((unused)) static const char *text_of(long value)
{
	static __thread char texts[8][24];
	static __thread unsigned next;
	if (value < 0)
		return name(errno);
	char *text = texts[next++ % 8];
	snprintf(text, sizeof texts[0], "%ld", value);
	return text;
}

/* What a call that returns -1 and sets errno has done; a stale errno must not show. */
#define RESULT(call) ({ errno = 0; text_of((long)(call)); })

__attribute__((unused)) static int64_t unit_ms(void)
{
	static int64_t unit;
	if (unit == 0) {
		const char *text = getenv("GUEST_UNIT_MS");
		unit = text ? atoll(text) : 30;
	}
	return unit;
}

__attribute__((unused)) static int64_t units(double n)
{
	return (int64_t)(n * (double)unit_ms() * 1e6 + 0.5);
}

/* For the calls that count milliseconds. */
__attribute__((unused)) static int ms(double n)
{
	return (int)(n * (double)unit_ms());
}

__attribute__((unused)) static struct timespec as_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

__attribute__((unused)) static struct timeval as_timeval(int64_t ns)
{
	return (struct timeval){ .tv_sec = ns / SECOND, .tv_usec = ns % SECOND / 1000 };
}

__attribute__((unused)) static int64_t ns_of(struct timespec t)
{
	return t.tv_sec * SECOND + t.tv_nsec;
}

__attribute__((unused)) static int64_t now_on(clockid_t clock)
{
	struct timespec t;
	MUST(clock_gettime(clock, &t) == 0);
	return ns_of(t);
}

/* Who waits for an event of another thread has often started its clock a moment after that thread. So the others act at
 * 1.3 or 2.3 units and the waiter says 1 or 2: a delay of either changes nothing.
 *
 * A point in time n units from now. Asked for after start(): it is less than n units from a start that comes after it. */
__attribute__((unused)) static struct timespec in_units(clockid_t clock, double n)
{
	return as_timespec(now_on(clock) + units(n));
}

/* Sleeps n units, whatever signals arrive. */
__attribute__((unused)) static void nap(double n)
{
	struct timespec left = as_timespec(units(n));
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* The start of what is measured, one for each thread. */
static __thread int64_t started;

__attribute__((unused)) static void start(void)
{
	started = now_on(CLOCK_MONOTONIC);
}

/* Whole units since start(); complains when they are less than was asked for, by however little. */
__attribute__((unused)) static int after(double asked)
{
	int64_t elapsed = now_on(CLOCK_MONOTONIC) - started;
	if (elapsed < units(asked))
		say("EARLY by %lld ns", (long long)(units(asked) - elapsed));
	return (int)(elapsed / units(1));
}

/* For threads that compute meanwhile: how much later they come depends on the machine, so no units are counted. "In time" is
 * not early, and neither a unit nor half a minute late at once, as it would be if the clock had jumped too far. */
__attribute__((unused)) static const char *in_time(double asked)
{
	int64_t late = now_on(CLOCK_MONOTONIC) - started - units(asked);
	return late < 0 ? "EARLY" : late < units(1) + 30 * SECOND ? "in time" : "FAIL: late";
}

/* Makes the call and says what it did and after how many units: at least as many as asked for. */
#define REPORT(asked, what, call) report((asked), (what), ({ start(); RESULT(call); }))
/* The same for calls that return the number of the error. */
#define REPORT_ERROR(asked, what, call) report((asked), (what), ({ start(); name(call); }))
__attribute__((unused)) static void report(double asked, const char *what, const char *result)
{
	int elapsed = after(asked);
	say("%s: %s after %d", what, result, elapsed);
}

__attribute__((unused)) static pthread_t thread(void *(*body)(void *), void *argument)
{
	pthread_t t;
	int error = pthread_create(&t, NULL, body, argument);
	if (error != 0) {
		say("FAIL pthread_create: %s", name(error));
		_exit(99);
	}
	return t;
}

__attribute__((unused)) static void *join(pthread_t t)
{
	void *result = NULL;
	int error = pthread_join(t, &result);
	if (error != 0)
		say("FAIL pthread_join: %s", name(error));
	return result;
}

/* The exit code of a child, or 1000 + the signal that ended it. */
__attribute__((unused)) static int reap(pid_t child)
{
	int status;
	pid_t got;
	do
		got = waitpid(child, &status, 0);
	while (got < 0 && errno == EINTR);
	MUST(got == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Five processes, each the child of the one before: a generation each unit, and each waits for the next. */
__attribute__((unused)) static void generations(void)
{
	start();
	pid_t first = getpid(), child = 0;
	int generation = 0;
	while (generation < 5 && (child = fork()) == 0) {
		nap(1);
		say("generation %d", generation++);
	}
	if (generation < 5)
		reap(child);
	if (getpid() != first)
		_exit(0);
	say("the last has ended: after %d", after(5));
}

__attribute__((unused)) static void on_signal(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	MUST(sigaction(number, &action, NULL) == 0);
}

/* Memory that forked processes share, zeroed. */
__attribute__((unused)) static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(memory != MAP_FAILED);
	return memory;
}

/* An out-parameter between guards: GUARDED(struct timespec) left; guard(&left); ... &left.value ...; guard_ok(&left) */
#define GUARDED(type) \
	struct { \
		unsigned char before[64]; \
		__typeof__(type) value; \
		unsigned char after[64]; \
	}
#define guard(g) memset((g), 0xA5, sizeof *(g))
#define guard_ok(g) (guard_intact((g)->before) && guard_intact((g)->after))
/* Nothing at all was written, as after most errors. */
#define guard_untouched(g) bytes_intact((const unsigned char *)(g), sizeof *(g))

__attribute__((unused)) static bool bytes_intact(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0xA5)
			return false;
	return true;
}

__attribute__((unused)) static bool guard_intact(const unsigned char *bytes)
{
	return bytes_intact(bytes, 64);
}

#endif
