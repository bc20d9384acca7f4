/* Put before a guest that is built with musl: what guests use and musl has not. */
#ifndef MUSL_H
#define MUSL_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>

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

#endif
