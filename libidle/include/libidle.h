/* Lets a program say itself when it counts as idle or busy. See "Has it come to rest?" in README.md.
 *
 * Nothing has to be linked. Under libidle.so, and in a session of flux-launch, the calls reach the library; otherwise they do
 * nothing. C89 and later, C++98 and later; GCC or Clang. With a glibc before 2.34, link with -ldl (pkg-config says so).
 *
 * A pair concerns the calling thread alone. Pairs nest: they are closed in the reverse order, and the outermost one is in
 * effect. A thread that ends inside a pair closes it. All four are safe to call from several threads; the first call of each
 * in a source file looks it up (dlsym(3)) and must not be made by a signal handler.
 */
#ifndef LIBIDLE_H
#define LIBIDLE_H

#include <dlfcn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* glibc shows its name for this only with _GNU_SOURCE. */
#ifdef RTLD_DEFAULT
#define LIBIDLE_ANYWHERE RTLD_DEFAULT
#else
#define LIBIDLE_ANYWHERE ((void *)0)
#endif

typedef void (*libidle_function)(void);

static __inline__ void libidle_not_loaded(void)
{
}

/* Two threads that look up at once find the same. */
static __inline__ void libidle_call(libidle_function *known, const char *name)
{
	union {
		void *object;
		libidle_function function;
	} found;
	found.function = __atomic_load_n(known, __ATOMIC_RELAXED);
	if (!found.function) {
		found.object = dlsym(LIBIDLE_ANYWHERE, name);
		if (!found.object)
			found.function = libidle_not_loaded;
		__atomic_store_n(known, found.function, __ATOMIC_RELAXED);
	}
	found.function();
}

/* From here on the calling thread counts as idle, whatever it does: what it waits for is to come from outside, or it has more
 * to wait for than the library can see (the rest of a request).
 */
static __inline__ void libidle_enable_forced_idle(void)
{
	static libidle_function known;
	libidle_call(&known, "libidle_enable_forced_idle");
}

/* The end of what libidle_enable_forced_idle() began. */
static __inline__ void libidle_disable_forced_idle(void)
{
	static libidle_function known;
	libidle_call(&known, "libidle_disable_forced_idle");
}

/* From here on the calling thread counts as busy, also while it is blocked: what it waits for is sure to come (the answer of a
 * service that is part of the test).
 */
static __inline__ void libidle_enable_forced_busy(void)
{
	static libidle_function known;
	libidle_call(&known, "libidle_enable_forced_busy");
}

/* The end of what libidle_enable_forced_busy() began. */
static __inline__ void libidle_disable_forced_busy(void)
{
	static libidle_function known;
	libidle_call(&known, "libidle_disable_forced_busy");
}

#ifdef __cplusplus
}
#endif

#endif
