/* watch try|block RUNS LIBRARY FOLDER PROGRAM [ARG]…: runs the program RUNS times, its state file and marks in FOLDER, and
 * looks whether it is ever idle between its two marks:
 *   try    flock(LOCK_SH | LOCK_NB) as fast as it can
 *   block  flock(LOCK_SH), which the kernel grants in the moment the lock is released
 * A lock that is got between the marks is a sighting. So that none depends on luck alone, the number in the file must be the
 * same in the end as in the beginning: the program went busy once. Exit status 1 on either.
 */
#include "marks.h"
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

static struct marks *marks;
static char state_path[4096], marks_path[4096];

/* Natively LIBRARY is empty. */
static pid_t start(const char *library, char **argv)
{
	pid_t pid = fork();
	if (pid == 0) {
		setenv("LIBIDLE_STATEFILE", state_path, 1);
		if (*library)
			setenv("LD_PRELOAD", library, 1);
		execv(argv[0], argv);
		fail(argv[0]);
	}
	return pid;
}

/* The number, or -1. */
static long number(int fd)
{
	char text[32];
	ssize_t length = pread(fd, text, sizeof text - 1, 0);
	if (length < 2 || text[length - 1] != '\n')
		return -1;
	text[length] = 0;
	return atol(text);
}

static int ended(pid_t pid)
{
	siginfo_t info = { 0 };
	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return fprintf(stderr, "usage: watch try|block RUNS LIBRARY FOLDER PROGRAM [ARG]...\n"), 2;
	int wait = strcmp(argv[1], "block") == 0 ? 0 : LOCK_NB;
	int runs = atoi(argv[2]);
	snprintf(state_path, sizeof state_path, "%s/state", argv[4]);
	snprintf(marks_path, sizeof marks_path, "%s/marks", argv[4]);
	setenv(IDLE_MARKS, marks_path, 1);
	marks = find_marks();

	long looks = 0, sightings = 0, moved = 0, failed = 0;
	for (int run = 0; run < runs; run++) {
		atomic_store(&marks->begun, 0);
		atomic_store(&marks->over, 0);
		unlink(state_path);
		pid_t pid = start(argv[3], &argv[5]);
		while (!atomic_load(&marks->begun) && !ended(pid))
			usleep(50);
		int fd = open(state_path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail(state_path);
		long first = number(fd);
		for (; !atomic_load(&marks->over) && (looks % 4096 || !ended(pid)); looks++) {
			if (flock(fd, LOCK_SH | wait) != 0)
				continue;
			/* While this lock is held the program cannot go busy and set the mark: it was set before, or there was a gap. */
			sightings += !atomic_load(&marks->over);
			flock(fd, LOCK_UN);
		}
		int status;
		waitpid(pid, &status, 0);
		failed += status != 0 || !atomic_load(&marks->over);
		moved += first < 0 || number(fd) != first;
		close(fd);
	}
	printf("runs %d, failed %ld, sightings %ld, numbers moved %ld\n", runs, failed, sightings, moved);
	fprintf(stderr, "%ld looks\n", looks);
	return failed || sightings || moved;
}
