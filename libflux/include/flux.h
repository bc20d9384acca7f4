/* What a program, or its test, asks of the clock of its session: see "From inside a program" in README.md.
 *
 * Nothing has to be linked. In a session of flux-launch the calls reach the library; otherwise they do nothing, as each says.
 * C89 and later, C++98 and later; GCC or Clang. With a glibc before 2.34, link with -ldl. All times are nanoseconds.
 *
 * All are safe to call from several threads. The first call of each in a source file looks it up (dlsym(3)) and must not be
 * made by a signal handler.
 */
#ifndef FLUX_H
#define FLUX_H

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* glibc shows its name for this only with _GNU_SOURCE. */
#ifdef RTLD_DEFAULT
#define FLUX_ANYWHERE RTLD_DEFAULT
#else
#define FLUX_ANYWHERE ((void *)0)
#endif

typedef void (*flux_function)(void);

static __inline__ void flux_not_loaded(void)
{
}

/* Two threads that look up at once find the same. 0: the library is not there. */
static __inline__ flux_function flux_find(flux_function *known, const char *name)
{
	union {
		void *object;
		flux_function function;
	} found;
	found.function = __atomic_load_n(known, __ATOMIC_RELAXED);
	if (!found.function) {
		found.object = dlsym(FLUX_ANYWHERE, name);
		if (!found.object)
			found.function = flux_not_loaded;
		__atomic_store_n(known, found.function, __ATOMIC_RELAXED);
	}
	return found.function == flux_not_loaded ? (flux_function)0 : found.function;
}

/* 1 in a session, else 0. */
static __inline__ int flux_active(void)
{
	static flux_function known;
	flux_function found = flux_find(&known, "flux_active");
	return found ? ((int (*)(void))found)() : 0;
}

/* The session's CLOCK_MONOTONIC; without a session the machine's. */
static __inline__ uint64_t flux_now(void)
{
	static flux_function known;
	flux_function found = flux_find(&known, "flux_now");
	struct timespec now;
	if (found)
		return ((uint64_t (*)(void))found)();
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The machine's CLOCK_MONOTONIC, whatever the session's says. */
static __inline__ uint64_t flux_real_now(void)
{
	static flux_function known;
	flux_function found = flux_find(&known, "flux_real_now");
	return found ? ((uint64_t (*)(void))found)() : flux_now();
}

/* Holds the clock: from now on it does not jump, so the session goes on at real speed. With a frozen clock the time that the
 * hold takes passes too. Returns a descriptor (close-on-exec). The hold ends with flux_release(), with the descriptor, and
 * with the process, whatever ends it; a forked child does not hold. The name is for people: flux-launch -v lists it.
 *
 * -1 and errno: EINVAL for a name that is empty, longer than 80 bytes or has a slash or a control character; EMFILE; ENOSPC
 * where 256 holds last. -1 and 0 without a session.
 */
static __inline__ int flux_hold(const char *name)
{
	static flux_function known;
	flux_function found = flux_find(&known, "flux_hold");
	if (found)
		return ((int (*)(const char *))found)(name);
	errno = 0;
	return -1;
}

/* Ends the hold and closes its descriptor: 0, or -1 and EBADF if that is no hold of this process. Nothing happens for -1. */
static __inline__ int flux_release(int hold)
{
	static flux_function known;
	flux_function found = flux_find(&known, "flux_release");
	if (found)
		return ((int (*)(int))found)(hold);
	if (hold == -1)
		return 0;
	errno = EBADF;
	return -1;
}

/* Waits until all other threads of the session are blocked, sleeps included, and nothing is about to wake one of them. No time
 * has passed then: the clock has not jumped, and does not before this thread blocks. The time-out is in real milliseconds; a
 * negative one never comes. 0, or -1 and errno: ETIMEDOUT, EINTR after a signal handler, ENOSYS without a session.
 */
static __inline__ int flux_at_rest(int timeout)
{
	static flux_function known;
	flux_function found = flux_find(&known, "flux_at_rest");
	if (found)
		return ((int (*)(int))found)(timeout);
	errno = ENOSYS;
	return -1;
}

#ifdef __cplusplus
}
#endif

#endif
