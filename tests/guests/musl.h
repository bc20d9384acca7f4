/* Put before a guest that is built with musl: what guests use and musl has not. */
#ifndef MUSL_H
#define MUSL_H

#include <errno.h>
#include <linux/close_range.h>
#include <linux/stat.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MUSL_NAME(prefix, name) \
	case prefix##name: \
		return #name

__attribute__((unused)) static const char *strerrorname_np(int error)
{
	switch (error) {
	case 0:
		return "0";
		MUSL_NAME(, EACCES);
		MUSL_NAME(, EAGAIN);
		MUSL_NAME(, EALREADY);
		MUSL_NAME(, EBADF);
		MUSL_NAME(, EBUSY);
		MUSL_NAME(, ECANCELED);
		MUSL_NAME(, ECHILD);
		MUSL_NAME(, ECONNREFUSED);
		MUSL_NAME(, EDEADLK);
		MUSL_NAME(, EEXIST);
		MUSL_NAME(, EFAULT);
		MUSL_NAME(, EIDRM);
		MUSL_NAME(, EINPROGRESS);
		MUSL_NAME(, EINTR);
		MUSL_NAME(, EINVAL);
		MUSL_NAME(, EMFILE);
		MUSL_NAME(, EMSGSIZE);
		MUSL_NAME(, ENOENT);
		MUSL_NAME(, ENOMEM);
		MUSL_NAME(, ENOMSG);
		MUSL_NAME(, ENOSYS);
		MUSL_NAME(, ENOTCONN);
		MUSL_NAME(, ENOTSUP);
		MUSL_NAME(, EOWNERDEAD);
		MUSL_NAME(, EPERM);
		MUSL_NAME(, EPIPE);
		MUSL_NAME(, ERANGE);
		MUSL_NAME(, ESRCH);
		MUSL_NAME(, ETIME);
		MUSL_NAME(, ETIMEDOUT);
	}
	return NULL;
}

__attribute__((unused)) static const char *sigabbrev_np(int number)
{
	switch (number) {
		MUSL_NAME(SIG, ABRT);
		MUSL_NAME(SIG, ALRM);
		MUSL_NAME(SIG, CHLD);
		MUSL_NAME(SIG, CONT);
		MUSL_NAME(SIG, HUP);
		MUSL_NAME(SIG, INT);
		MUSL_NAME(SIG, KILL);
		MUSL_NAME(SIG, PIPE);
		MUSL_NAME(SIG, QUIT);
		MUSL_NAME(SIG, SEGV);
		MUSL_NAME(SIG, STOP);
		MUSL_NAME(SIG, TERM);
		MUSL_NAME(SIG, TSTP);
		MUSL_NAME(SIG, USR1);
		MUSL_NAME(SIG, USR2);
	}
	return NULL;
}

/* Calls of the kernel's for which musl has no name, with glibc's. */
#define MUSL_CALL(type, name, parameters, ...) \
	__attribute__((unused)) static type name parameters \
	{ \
		return syscall(SYS_##name, __VA_ARGS__); \
	}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct epoll_event;
MUSL_CALL(int, close_range, (unsigned first, unsigned last, int flags), first, last, flags)
MUSL_CALL(int, epoll_pwait2, (int fd, struct epoll_event *events, int n, const struct timespec *t, const sigset_t *mask), fd, events,
	  n, t, mask, 64 / 8)
MUSL_CALL(int, execveat, (int dir, const char *path, char *const *argv, char *const *env, int flags), dir, path, argv, env, flags)
MUSL_CALL(int, pidfd_open, (pid_t pid, unsigned flags), pid, flags)
MUSL_CALL(int, pidfd_send_signal, (int fd, int number, siginfo_t *info, unsigned flags), fd, number, info, flags)
MUSL_CALL(ssize_t, preadv2, (int fd, const struct iovec *parts, int n, off_t at, int flags), fd, parts, n, at, 0, flags)
MUSL_CALL(ssize_t, pwritev2, (int fd, const struct iovec *parts, int n, off_t at, int flags), fd, parts, n, at, 0, flags)
MUSL_CALL(int, statx, (int dir, const char *path, int flags, unsigned mask, struct statx *out), dir, path, flags, mask, out)
MUSL_CALL(int, tgkill, (pid_t pid, pid_t tid, int number), pid, tid, number)

__attribute__((unused)) static void closefrom(int first)
{
	close_range(first, ~0u, 0);
}

#define fcntl64 fcntl
#define preadv64v2 preadv2
#define pwritev64v2 pwritev2
#define __longjmp_chk longjmp

/* ntp_gettime(3) and its relatives, by the call that they are in glibc. */
#define ntp_adjtime adjtimex
#define __adjtimex adjtimex
#define ntp_gettimex ntp_gettime

__attribute__((unused)) static int ntp_gettime(struct ntptimeval *out)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);
	*out = (struct ntptimeval){ t.time, t.maxerror, t.esterror };
	return state;
}

#define PTHREAD_MUTEX_ADAPTIVE_NP PTHREAD_MUTEX_NORMAL

/* The same instant by the wall clock, which is the one that musl waits by: read last, so it is not early. False for a clock that
 * glibc refuses. What is no time at all stays none. */
__attribute__((unused)) static int musl_instant(clockid_t clock, const struct timespec *at, struct timespec *wall)
{
	struct timespec here;
	*wall = *at;
	if (clock != CLOCK_MONOTONIC)
		return clock == CLOCK_REALTIME;
	if (at->tv_nsec < 0 || at->tv_nsec >= 1000000000)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &here);
	clock_gettime(CLOCK_REALTIME, wall);
	wall->tv_sec += at->tv_sec - here.tv_sec;
	wall->tv_nsec += at->tv_nsec - here.tv_nsec;
	wall->tv_sec += wall->tv_nsec < 0 ? -1 : wall->tv_nsec >= 1000000000;
	wall->tv_nsec = (wall->tv_nsec + 1000000000) % 1000000000;
	return 1;
}

/* NAME with a clock among its parameters, by TIMED, which waits until an instant of the wall clock. */
#define MUSL_CLOCKED(name, parameters, refused, timed, ...) \
	__attribute__((unused)) static int name parameters \
	{ \
		struct timespec wall; \
		return musl_instant(clock, at, &wall) ? timed(__VA_ARGS__, &wall) : refused; \
	}
MUSL_CLOCKED(pthread_cond_clockwait, (pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at), EINVAL,
	     pthread_cond_timedwait, cond, mutex)
MUSL_CLOCKED(pthread_mutex_clocklock, (pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at), EINVAL,
	     pthread_mutex_timedlock, mutex)
MUSL_CLOCKED(pthread_rwlock_clockrdlock, (pthread_rwlock_t *lock, clockid_t clock, const struct timespec *at), EINVAL,
	     pthread_rwlock_timedrdlock, lock)
MUSL_CLOCKED(pthread_rwlock_clockwrlock, (pthread_rwlock_t *lock, clockid_t clock, const struct timespec *at), EINVAL,
	     pthread_rwlock_timedwrlock, lock)
MUSL_CLOCKED(pthread_clockjoin_np, (pthread_t t, void **out, clockid_t clock, const struct timespec *at), EINVAL,
	     pthread_timedjoin_np, t, out)
MUSL_CLOCKED(sem_clockwait, (sem_t *sem, clockid_t clock, const struct timespec *at), (errno = EINVAL, -1), sem_timedwait, sem)

#endif
