/* Answers each line in capitals; its standard input and output are the connection, as inetd(8) would have it.
 *
 * Promise: forced idle until a whole request has arrived, it goes busy once a request, in however many pieces that comes.
 * Without libidle.so the calls do nothing. See idle_driver.c.
 */
#include <ctype.h>
#include <libidle.h>
#include <unistd.h>

/* A line; its length, or 0 at the end. */
static size_t whole_request(char *line, size_t size)
{
	size_t length = 0;
	libidle_enable_forced_idle();
	while (length < size && read(0, line + length, 1) == 1)
		if (line[length++] == '\n')
			break;
	libidle_disable_forced_idle();
	return length;
}

int main(void)
{
	char line[256];
	size_t length;
	while ((length = whole_request(line, sizeof line)) > 0) {
		for (size_t i = 0; i < length; i++)
			line[i] = toupper((unsigned char)line[i]);
		if (write(1, line, length) != (ssize_t)length)
			return 1;
	}
	return 0;
}
