/* A file that is written is as old as the last write, whatever call has made it. */
#include "files.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

static int fd, source;

static void report_age(const char *what)
{
	nap(2);
	struct stat found;
	MUST(fstat(fd, &found) == 0);
	int old = age(found.st_mtim);
	say(old < 8 ? "%s: %d" : "%s: old", what, old);
	nap(3);
}

int main(void)
{
	begin();
	fill("source", "0123456789");
	MUST((source = open("source", O_RDONLY)) >= 0);
	MUST((fd = open("file", O_RDWR | O_CREAT, 0600)) >= 0);
	report_age("open");
	struct iovec part = { "ab", 2 };
	off_t at = 0;
	loff_t from = 0, to = 0;
	MUST(write(fd, "ab", 2) == 2);
	report_age("write");
	MUST(writev(fd, &part, 1) == 2);
	report_age("writev");
	MUST(pwrite(fd, "ab", 2, 0) == 2);
	report_age("pwrite");
	MUST(pwrite64(fd, "ab", 2, 0) == 2);
	report_age("pwrite64");
	MUST(pwritev(fd, &part, 1, 0) == 2);
	report_age("pwritev");
	MUST(pwritev64(fd, &part, 1, 0) == 2);
	report_age("pwritev64");
	MUST(pwritev2(fd, &part, 1, 0, 0) == 2);
	report_age("pwritev2");
	MUST(sendfile(fd, source, &at, 2) == 2);
	report_age("sendfile");
	MUST(copy_file_range(source, &from, fd, &to, 2, 0) == 2);
	report_age("copy_file_range");
	MUST(ftruncate(fd, 5) == 0);
	report_age("ftruncate");
	MUST(ftruncate64(fd, 6) == 0);
	report_age("ftruncate64");
	MUST(truncate("file", 3) == 0);
	report_age("truncate");
	MUST(truncate64("file", 4) == 0);
	report_age("truncate64");
	MUST(posix_fallocate(fd, 0, 100) == 0);
	report_age("posix_fallocate");
	MUST(posix_fallocate64(fd, 0, 200) == 0);
	report_age("posix_fallocate64");
	MUST(fallocate(fd, 0, 0, 300) == 0);
	report_age("fallocate");
	MUST(fallocate64(fd, 0, 0, 400) == 0);
	report_age("fallocate64");
	int again = open("file", O_WRONLY | O_TRUNC);
	MUST(again >= 0);
	report_age("O_TRUNC");
	/* Written by one descriptor, closed, and its number used for another file. */
	MUST(write(again, "x", 1) == 1 && close(again) == 0 && open("source", O_RDONLY) == again);
	report_age("closed");
	/* Nobody writes: reading changes nothing. */
	char byte;
	nap(4);
	MUST(pread(fd, &byte, 1, 0) == 1);
	report_age("read");
	/* A child writes and ends. */
	pid_t child = fork();
	if (child == 0) {
		MUST(write(fd, "x", 1) == 1);
		_exit(0);
	}
	reap(child);
	report_age("a child");
	return end();
}
