/* <threads.h>: conditions, mutexes, threads; their result codes are not error numbers. */
#include "guest.h"
#include <threads.h>

static mtx_t lock;
static cnd_t cond;
static bool ready;

static const char *result(int code)
{
	return code == thrd_success ? "success" : code == thrd_timedout ? "timedout" : code == thrd_busy ? "busy"
	     : code == thrd_nomem   ? "nomem"   : "error";
}

static int signaller(void *how)
{
	struct timespec t = as_timespec(units(1.3));
	thrd_sleep(&t, NULL);
	mtx_lock(&lock);
	ready = true;
	say("%s: %s", how ? "broadcast" : "signal", result(how ? cnd_broadcast(&cond) : cnd_signal(&cond)));
	mtx_unlock(&lock);
	return 7;
}

static int holder(void *unused)
{
	(void)unused;
	mtx_lock(&lock);
	struct timespec t = as_timespec(units(2.3));
	thrd_sleep(&t, NULL);
	mtx_unlock(&lock);
	thrd_exit(8);
}

static struct timespec utc(double n)
{
	struct timespec t;
	MUST(timespec_get(&t, TIME_UTC) == TIME_UTC);
	return as_timespec(ns_of(t) + units(n));
}

int main(void)
{
	say("init: %s %s", result(mtx_init(&lock, mtx_timed)), result(cnd_init(&cond)));
	for (int broadcast = 0; broadcast < 2; broadcast++) {
		thrd_t t;
		ready = false;
		MUST(thrd_create(&t, signaller, broadcast ? &ready : NULL) == thrd_success);
		mtx_lock(&lock);
		start();
		int code = thrd_success;
		while (!ready && code == thrd_success)
			code = cnd_wait(&cond, &lock);
		say("cnd_wait: %s after %d", result(code), after(1));
		mtx_unlock(&lock);
		int exit_code;
		say("join: %s", result(thrd_join(t, &exit_code)));
		say("exit code %d", exit_code);
	}
	mtx_lock(&lock);
	start();
	struct timespec deadline = utc(2);
	int code = cnd_timedwait(&cond, &lock, &deadline);
	say("cnd_timedwait: %s after %d", result(code), after(2));
	mtx_unlock(&lock);

	thrd_t t;
	MUST(thrd_create(&t, holder, NULL) == thrd_success);
	nap(0.5);
	say("mtx_trylock: %s", result(mtx_trylock(&lock)));
	start();
	deadline = utc(1);
	code = mtx_timedlock(&lock, &deadline);
	say("mtx_timedlock: %s after %d", result(code), after(1));
	start();
	code = mtx_lock(&lock);
	say("mtx_lock: %s after %d", result(code), after(0));
	mtx_unlock(&lock);
	thrd_join(t, &code);
	say("exit code %d", code);
	cnd_destroy(&cond);
	mtx_destroy(&lock);
	return 0;
}
