/* semtimedop(2) with IPC_NOWAIT: its time-out counts for nothing; without the flag it does. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>

static int set;

static int zero(short first, short second, int raw)
{
	struct sembuf both[] = { { 0, 0, first }, { 1, 0, second } };
	struct timespec t = as_timespec(units(2));
	return raw ? syscall(SYS_semtimedop, set, both, 2, &t) : semtimedop(set, both, 2, &t);
}

int main(void)
{
	set = semget(IPC_PRIVATE, 2, 0600);
	MUST(set >= 0);
	for (int raw = 0; raw < 2; raw++) {
		MUST(semctl(set, 1, SETVAL, 1) == 0);
		REPORT(0, "not to wait", zero(IPC_NOWAIT, IPC_NOWAIT, raw));
		REPORT(2, "to wait", zero(0, 0, raw));
		MUST(semctl(set, 1, SETVAL, 0) == 0);
		REPORT(0, "nothing to wait for", zero(IPC_NOWAIT, IPC_NOWAIT, raw));
	}
	MUST(semctl(set, 0, IPC_RMID) == 0);
	return 0;
}
