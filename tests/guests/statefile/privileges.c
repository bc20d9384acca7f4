// Gives up its privileges, if it has any, and then wants a namespace that is for processes of one thread. Says whether all its
// threads have given them up, and answers its input.
#include "../guest.h"
#include <dirent.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static int all_have(uid_t user) {
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    int all = 1;
    while ((entry = readdir(tasks))) {
        char path[300], line[200];
        unsigned effective = user;
        FILE *status;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        if (entry->d_name[0] == '.' || !(status = fopen(path, "r")))
            continue;
        while (fgets(line, sizeof line, status))
            sscanf(line, "Uid:\t%*u\t%u", &effective);
        fclose(status);
        all &= effective == user;
    }
    closedir(tasks);
    return all;
}

int main(void) {
    uid_t nobody = getuid() ? getuid() : 65534;
    char byte;
    usleep(20000);
    if (setresuid(nobody, nobody, nobody))
        return 1;
    usleep(20000);
    printf("all threads gave up: %d\n", all_have(nobody));
    printf("a user namespace: %d\n", unshare(CLONE_NEWUSER));
    fflush(stdout);
    while (read(0, &byte, 1) == 1)
        if (write(1, &byte, 1) != 1)
            return 1;
    return 0;
}
