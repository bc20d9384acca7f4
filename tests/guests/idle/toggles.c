/* Idle until a byte comes, then busy until the next: says so, each time, as soon as it is busy. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	char byte;
	while (read(0, &byte, 1) == 1) {
		if (write(1, "busy\n", 5) != 5)
			return 1;
		fcntl(0, F_SETFL, O_NONBLOCK);
		while (read(0, &byte, 1) < 0)
			;
		fcntl(0, F_SETFL, 0);
	}
	return 0;
}
