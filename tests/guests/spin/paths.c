/* Loops that ask whether there is such a file until a sleeping thread makes it. */
#include "appears.h"

#define UNTIL(what, call) UNTIL_IT_APPEARS(call, say(what ": after %d", after(1.3)))

int main(void)
{
	struct stat now;
	struct stat64 now64;
	struct statx all;
	snprintf(path, sizeof path, "/tmp/paths-%d", getpid());
	UNTIL("access", access(path, F_OK));
	UNTIL("faccessat", faccessat(AT_FDCWD, path, F_OK, 0));
	UNTIL("stat", stat(path, &now));
	UNTIL("stat64", stat64(path, &now64));
	UNTIL("lstat", lstat(path, &now));
	UNTIL("lstat64", lstat64(path, &now64));
	UNTIL("fstatat", fstatat(AT_FDCWD, path, &now, 0));
	UNTIL("fstatat64", fstatat64(AT_FDCWD, path, &now64, 0));
	UNTIL("statx", statx(AT_FDCWD, path, 0, STATX_SIZE, &all));
	return 0;
}
