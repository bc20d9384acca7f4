/* Put before a guest: its waits, clock reads and timers are system calls of its own, in line, which no library sees. With
 * RAW_BY_LIBC they are calls of libc's syscall(2). With RAW_WAITS that holds for the waits alone, with RAW_NO_TIMERS not for the
 * timers. */
#ifndef RAW_H
#define RAW_H

#include <errno.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

__attribute__((unused)) static long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
#ifdef RAW_BY_LIBC
	return syscall(number, a, b, c, d, e, f);
#else
	long answer;
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (answer < 0 && answer > -4096) {
		errno = -answer;
		return -1;
	}
	return answer;
#endif
}

#define RAW_SIX(n, a, b, c, d, e, f, ...) \
	raw_call((long)(n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define RAW(...) RAW_SIX(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
/* Bytes of the kernel's signal sets. */
#define RAW_MASK (64 / 8)

/* raw_NAME with the parameters of NAME, which makes the system call of that name with these arguments. */
#define RAW_CALL(type, name, parameters, ...) \
	__attribute__((unused)) static type raw_##name parameters \
	{ \
		return RAW(SYS_##name, __VA_ARGS__); \
	}

RAW_CALL(int, nanosleep, (const struct timespec *t, struct timespec *left), t, left)
RAW_CALL(int, poll, (struct pollfd *fds, nfds_t n, int ms), fds, n, ms)
RAW_CALL(int, select, (int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t), n, r, w, x, t)
RAW_CALL(int, epoll_wait, (int fd, struct epoll_event *events, int n, int ms), fd, events, n, ms)
RAW_CALL(int, epoll_pwait, (int fd, struct epoll_event *events, int n, int ms, const sigset_t *mask), fd, events, n, ms, mask,
	 RAW_MASK)
RAW_CALL(int, epoll_pwait2, (int fd, struct epoll_event *events, int n, const struct timespec *t, const sigset_t *mask), fd,
	 events, n, t, mask, RAW_MASK)
RAW_CALL(int, rt_sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *t), set, info, t, RAW_MASK)
RAW_CALL(int, semtimedop, (int id, struct sembuf *ops, size_t n, const struct timespec *t), id, ops, n, t)
RAW_CALL(int, mq_timedsend, (mqd_t queue, const char *text, size_t n, unsigned priority, const struct timespec *until), queue, text,
	 n, priority, until)
RAW_CALL(ssize_t, mq_timedreceive, (mqd_t queue, char *text, size_t n, unsigned *priority, const struct timespec *until), queue,
	 text, n, priority, until)
RAW_CALL(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *t), fd, messages, n, flags, t)
RAW_CALL(int, clock_gettime, (clockid_t id, struct timespec *t), id, t)
RAW_CALL(int, gettimeofday, (struct timeval *t, void *zone), t, zone)
RAW_CALL(time_t, time, (time_t *t), t)
RAW_CALL(unsigned, alarm, (unsigned seconds), seconds)
RAW_CALL(int, setitimer, (int which, const struct itimerval *new, struct itimerval *old), which, new, old)
RAW_CALL(int, getitimer, (int which, struct itimerval *out), which, out)
RAW_CALL(int, timerfd_create, (clockid_t id, int flags), id, flags)
RAW_CALL(int, timerfd_settime, (int fd, int flags, const struct itimerspec *new, struct itimerspec *old), fd, flags, new, old)
RAW_CALL(int, timerfd_gettime, (int fd, struct itimerspec *out), fd, out)

__attribute__((unused)) static int raw_clock_nanosleep(clockid_t id, int flags, const struct timespec *t, struct timespec *left)
{
	int before = errno, failed = RAW(SYS_clock_nanosleep, id, flags, t, left) < 0 ? errno : 0;
	errno = before;
	return failed;
}

__attribute__((unused)) static unsigned raw_sleep(unsigned seconds)
{
	struct timespec left = { seconds, 0 };
	return raw_nanosleep(&left, &left) < 0 ? left.tv_sec : 0;
}

__attribute__((unused)) static int raw_usleep(useconds_t us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };
	return raw_nanosleep(&t, NULL);
}

__attribute__((unused)) static int raw_thrd_sleep(const struct timespec *t, struct timespec *left)
{
	int failed = raw_clock_nanosleep(CLOCK_REALTIME, 0, t, left);
	return failed == 0 ? 0 : failed == EINTR ? -1 : -2;
}

/* In these the kernel writes back what is left, and libc does not. */
__attribute__((unused)) static int raw_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	struct timespec copy = t ? *t : (struct timespec){ 0, 0 };
	return RAW(SYS_ppoll, fds, n, t ? &copy : NULL, mask, RAW_MASK);
}

__attribute__((unused)) static int raw_pselect(int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *t, const sigset_t *mask)
{
	struct timespec copy = t ? *t : (struct timespec){ 0, 0 };
	struct {
		const sigset_t *mask;
		size_t size;
	} with = { mask, RAW_MASK };
	return RAW(SYS_pselect6, n, r, w, x, t ? &copy : NULL, &with);
}

__attribute__((unused)) static int raw_sigwait(const sigset_t *set, int *number)
{
	int got;
	do
		got = raw_rt_sigtimedwait(set, NULL, NULL);
	while (got < 0 && errno == EINTR);
	*number = got;
	return got < 0 ? errno : 0;
}

#define nanosleep(...) raw_nanosleep(__VA_ARGS__)
#define clock_nanosleep(...) raw_clock_nanosleep(__VA_ARGS__)
#define sleep(...) raw_sleep(__VA_ARGS__)
#define usleep(...) raw_usleep(__VA_ARGS__)
#define thrd_sleep(...) raw_thrd_sleep(__VA_ARGS__)
#define poll(...) raw_poll(__VA_ARGS__)
#define ppoll(...) raw_ppoll(__VA_ARGS__)
#define select(...) raw_select(__VA_ARGS__)
#define pselect(...) raw_pselect(__VA_ARGS__)
#define epoll_wait(...) raw_epoll_wait(__VA_ARGS__)
#define epoll_pwait(...) raw_epoll_pwait(__VA_ARGS__)
#define epoll_pwait2(...) raw_epoll_pwait2(__VA_ARGS__)
#define sigtimedwait(...) raw_rt_sigtimedwait(__VA_ARGS__)
#define sigwaitinfo(...) raw_rt_sigtimedwait(__VA_ARGS__, NULL)
#define sigwait(...) raw_sigwait(__VA_ARGS__)
#define semtimedop(...) raw_semtimedop(__VA_ARGS__)
#define mq_timedsend(...) raw_mq_timedsend(__VA_ARGS__)
#define mq_timedreceive(...) raw_mq_timedreceive(__VA_ARGS__)
#define recvmmsg(...) raw_recvmmsg(__VA_ARGS__)

#ifndef RAW_WAITS
#define clock_gettime(...) raw_clock_gettime(__VA_ARGS__)
#define gettimeofday(...) raw_gettimeofday(__VA_ARGS__)
#define time(...) raw_time(__VA_ARGS__)
#endif

#if !defined RAW_WAITS && !defined RAW_NO_TIMERS
#define alarm(...) raw_alarm(__VA_ARGS__)
#define setitimer(...) raw_setitimer(__VA_ARGS__)
#define getitimer(...) raw_getitimer(__VA_ARGS__)
#define timerfd_create(...) raw_timerfd_create(__VA_ARGS__)
#define timerfd_settime(...) raw_timerfd_settime(__VA_ARGS__)
#define timerfd_gettime(...) raw_timerfd_gettime(__VA_ARGS__)
#endif

#if !defined RAW_BY_LIBC && !defined RAW_WAITS
#define syscall(...) RAW(__VA_ARGS__)
#endif

#endif
