/* What is made, linked, renamed and removed is as old as that, and so is its folder. */
#include "files.h"
#include <sys/types.h>

static int here;

/* After 5 units without a change, `change`, then 2 units. */
#define SHOW(what, path, change) \
	do { \
		nap(5); \
		MUST((change) == 0); \
		nap(2); \
		ages(what, path); \
		ages("  its folder", "folder"); \
	} while (0)

int main(void)
{
	begin();
	MUST(mkdir("folder", 0755) == 0 && (here = open("folder", O_RDONLY)) >= 0);
	fill("folder/old", "old");
	SHOW("mkdir", "folder/a", mkdir("folder/a", 0755));
	SHOW("mkdirat", "folder/b", mkdirat(here, "b", 0755));
	SHOW("mknod", "folder/c", mknod("folder/c", S_IFIFO | 0600, 0));
	SHOW("mknodat", "folder/d", mknodat(here, "d", S_IFIFO | 0600, 0));
	SHOW("mkfifo", "folder/e", mkfifo("folder/e", 0600));
	SHOW("mkfifoat", "folder/f", mkfifoat(here, "f", 0600));
	SHOW("symlink", "folder/g", symlink("old", "folder/g"));
	SHOW("symlinkat", "folder/h", symlinkat("old", here, "h"));
	SHOW("link", "folder/i", link("folder/old", "folder/i"));
	SHOW("linkat", "folder/j", linkat(here, "old", here, "j", 0));
	SHOW("rename", "folder/k", rename("folder/j", "folder/k"));
	SHOW("renameat", "folder/l", renameat(here, "k", here, "l"));
	SHOW("renameat2", "folder/m", renameat2(here, "l", here, "m", 0));
	SHOW("unlink", "folder/old", unlink("folder/m"));
	SHOW("unlinkat", "folder/old", unlinkat(here, "i", 0));
	SHOW("rmdir", "folder/old", rmdir("folder/a"));
	SHOW("remove", "folder/old", remove("folder/b"));
	SHOW("chmod", "folder/old", chmod("folder/old", 0600));
	SHOW("fchmodat", "folder/old", fchmodat(here, "old", 0640, 0));
	SHOW("chown", "folder/old", chown("folder/old", getuid(), getgid()));
	SHOW("lchown", "folder/g", lchown("folder/g", getuid(), getgid()));
	SHOW("fchownat", "folder/old", fchownat(here, "old", getuid(), getgid(), 0));
	int fd = open("folder/old", O_RDONLY);
	SHOW("fchmod", "folder/old", fchmod(fd, 0600));
	SHOW("fchown", "folder/old", fchown(fd, getuid(), getgid()));
	SHOW("lchmod", "folder/old", lchmod("folder/old", 0644));
	SHOW("with slashes", "folder/n", mkdir("folder//n//", 0700));
	SHOW("refused", "folder/n", mkdir("folder/n", 0700) == -1 && errno == EEXIST ? 0 : -1);
	return end();
}
