/* A loop that asks whether there is such a file until a sleeping thread makes it, by the names that programs call which were
 * linked before glibc 2.33. */
#include "appears.h"

#define OLD(name, version, ...) \
	int old##name(__VA_ARGS__); \
	__asm__(".symver old" #name "," #name "@GLIBC_" version)
OLD(__xstat, "2.2.5", int, const char *, struct stat *);
OLD(__xstat64, "2.2.5", int, const char *, struct stat64 *);
OLD(__lxstat, "2.2.5", int, const char *, struct stat *);
OLD(__lxstat64, "2.2.5", int, const char *, struct stat64 *);
OLD(__fxstat, "2.2.5", int, int, struct stat *);
OLD(__fxstat64, "2.2.5", int, int, struct stat64 *);
OLD(__fxstatat, "2.4", int, int, const char *, struct stat *, int);
OLD(__fxstatat64, "2.4", int, int, const char *, struct stat64 *, int);

#define UNTIL(what, call) UNTIL_IT_APPEARS(call, say(what ": %s", in_time(1.3)))

int main(void)
{
	struct stat now;
	struct stat64 now64;
	snprintf(path, sizeof path, "/tmp/old-stat-%d", getpid());
	UNTIL("__xstat", old__xstat(1, path, &now));
	UNTIL("__xstat64", old__xstat64(1, path, &now64));
	UNTIL("__lxstat", old__lxstat(1, path, &now));
	UNTIL("__lxstat64", old__lxstat64(1, path, &now64));
	UNTIL("__fxstatat", old__fxstatat(1, AT_FDCWD, path, &now, 0));
	UNTIL("__fxstatat64", old__fxstatat64(1, AT_FDCWD, path, &now64, 0));
	UNTIL("__fxstat", ({
		int fd = open(path, O_RDONLY), found = fd < 0 ? -1 : old__fxstat(1, fd, &now);
		if (fd >= 0)
			close(fd);
		found;
	}));
	UNTIL("__fxstat64", ({
		int fd = open(path, O_RDONLY), found = fd < 0 ? -1 : old__fxstat64(1, fd, &now64);
		if (fd >= 0)
			close(fd);
		found;
	}));
	return 0;
}
