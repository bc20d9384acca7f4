// Hand-overs through System V semaphores and messages and through POSIX message queues.
#include "handover.h"
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static int id;
static mqd_t queues[2];

static int need(int result, const char *what)
{
    if (result < 0)
        die(what);
    return result;
}

// Two semaphores, one for each direction.

static void remove_semaphores(void)
{
    semctl(id, 0, IPC_RMID);
}

static void semaphores_setup(void)
{
    id = need(semget(IPC_PRIVATE, 2, 0600), "semget");
}

static void semaphore_give(int direction)
{
    struct sembuf up = {.sem_num = (unsigned short)direction, .sem_op = 1};
    need(semop(id, &up, 1), "semop");
}

static void semaphore_take(int direction)
{
    struct sembuf down = {.sem_num = (unsigned short)direction, .sem_op = -1};
    need(semop(id, &down, 1), "semop");
}

static void semaphore_take_timed(int direction)
{
    struct sembuf down = {.sem_num = (unsigned short)direction, .sem_op = -1};
    struct timespec limit = to_timespec(HALF_AN_HOUR);
    if (semtimedop(id, &down, 1, &limit) != 0)
        finding(!direction, "semtimedop failed");
}

// One queue, a kind of message for each direction.

static void messages_setup(void)
{
    id = need(msgget(IPC_PRIVATE, 0600), "msgget");
}

static void remove_messages(void)
{
    msgctl(id, IPC_RMID, NULL);
}

static void message_give(int direction)
{
    struct msgbuf message = {.mtype = direction + 1};
    need(msgsnd(id, &message, 1, 0), "msgsnd");
}

static void message_take(int direction)
{
    struct msgbuf message;
    need((int)msgrcv(id, &message, 1, direction + 1, 0), "msgrcv");
}

static void posix_setup(void)
{
    for (int d = 0; d < 2; d++) {
        char name[64];
        struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
        snprintf(name, sizeof name, "/flux-handover-%d-%d", getpid(), d);
        queues[d] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
        need(queues[d], "mq_open");
        mq_unlink(name);
    }
}

static void posix_give(int direction)
{
    need(mq_send(queues[direction], "x", 1, 0), "mq_send");
}

static void posix_take(int direction)
{
    char byte;
    need((int)mq_receive(queues[direction], &byte, 1, NULL), "mq_receive");
}

static void posix_take_timed(int direction)
{
    char byte;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HALF_AN_HOUR / SECOND;
    if (mq_timedreceive(queues[direction], &byte, 1, NULL, &until) < 0)
        finding(!direction, "mq_timedreceive failed");
}

const struct kind queue_kinds[] = {
    {.name = "semop", .setup = semaphores_setup, .give = semaphore_give, .take = semaphore_take,
     .finish = remove_semaphores},
    {.name = "semtimedop", .setup = semaphores_setup, .give = semaphore_give, .take = semaphore_take_timed,
     .finish = remove_semaphores},
    {.name = "msg", .setup = messages_setup, .give = message_give, .take = message_take, .finish = remove_messages},
    {.name = "mq", .setup = posix_setup, .give = posix_give, .take = posix_take},
    {.name = "mq-timed", .setup = posix_setup, .give = posix_give, .take = posix_take_timed},
    {.name = NULL},
};
