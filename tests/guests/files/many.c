/* Each write is younger than the one before if the clock has moved between, however little real time has passed. */
#include "files.h"

int main(void)
{
	begin();
	enum { FILES = 300 };
	char name[20];
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "%d", i);
		fill(name, "x");
		nap(0.5);
	}
	int ordered = 0;
	for (int i = 1; i < FILES; i++) {
		snprintf(name, sizeof name, "%d", i - 1);
		int64_t before = ns_of(look(name).st_mtim);
		snprintf(name, sizeof name, "%d", i);
		ordered += ns_of(look(name).st_mtim) > before;
	}
	say("ordered: %d", ordered);
	int fd = open("one", O_WRONLY | O_CREAT, 0600), moved = 0;
	int64_t last = 0;
	for (int i = 0; i < FILES; i++) {
		nap(0.5);
		MUST(write(fd, "x", 1) == 1);
		struct stat found;
		MUST(fstat(fd, &found) == 0);
		moved += ns_of(found.st_mtim) > last;
		last = ns_of(found.st_mtim);
	}
	say("moved: %d", moved);
	return end();
}
