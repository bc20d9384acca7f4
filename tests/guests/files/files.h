/* What the guests about file times share. */
#include "guest.h"
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

static char folder[PATH_MAX];

/* A folder of the guest's own, in which it goes on. */
__attribute__((unused)) static void begin(void)
{
	strcpy(folder, "/tmp/guest-files-XXXXXX");
	MUST(mkdtemp(folder) != NULL && chdir(folder) == 0);
}

__attribute__((unused)) static int end(void)
{
	MUST(chdir("/") == 0);
	char command[PATH_MAX + 10];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	MUST(system(command) == 0);
	return 0;
}

/* How old that is, in whole units. The kernel's clock for files is up to 10 ms behind, so it may look a little older. */
static int age(struct timespec of)
{
	int64_t ns = now_on(CLOCK_REALTIME) - ns_of(of);
	return (int)((ns + units(0.4)) / units(1));
}

__attribute__((unused)) static struct stat look(const char *path)
{
	struct stat found;
	MUST(lstat(path, &found) == 0);
	return found;
}

/* The ages of a file's contents and of its inode. Where delays have added up, an age is only old. */
__attribute__((unused)) static void ages(const char *what, const char *path)
{
	struct stat found = look(path);
	int contents = age(found.st_mtim), inode = age(found.st_ctim);
	char texts[2][20] = { "old", "old" };
	if (contents < 8)
		snprintf(texts[0], sizeof texts[0], "%d", contents);
	if (inode < 8)
		snprintf(texts[1], sizeof texts[1], "%d", inode);
	say("%s: contents %s, inode %s", what, texts[0], texts[1]);
}

__attribute__((unused)) static void fill(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}
