//! The table of entry points says the truth: it has the names that are exported, and each is in a
//! guest that it names.

use flux_tests::workspace_root;
use std::collections::BTreeSet;
use std::fs;

mod rows;

/// A line of the table: names, tier, guests.
struct Line {
    names: Vec<String>,
    tier: String,
    guests: Vec<String>,
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn lines() -> Vec<Line> {
    let text = read("libflux/ENTRY-POINTS.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| **"));
    rows.skip(2)
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').collect();
            assert_eq!(cells.len(), 3, "{line}");
            Line {
                names: quoted(cells[0]),
                tier: cells[1].trim().to_owned(),
                guests: quoted(cells[2]),
            }
        })
        .collect()
}

#[test]
fn the_table_has_each_exported_name_once() {
    let mut named = BTreeSet::new();
    for name in lines().into_iter().flat_map(|line| line.names) {
        assert!(named.insert(name.clone()), "{name} is there twice");
    }
    let rows = rows::names("libflux");
    let missing: Vec<_> = rows.difference(&named).collect();
    let stale: Vec<_> = named.difference(&rows).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "missing: {missing:?}; not exported: {stale:?}"
    );
}

/// What makes a program wait, time it or live, by the families of the man pages: with a hook or
/// without one, there is a line.
const FAMILIES: &str = "
    nanosleep clock_nanosleep usleep sleep thrd_sleep pause sigsuspend
    poll ppoll select pselect epoll_wait epoll_pwait epoll_pwait2 __poll_chk __ppoll_chk
    pthread_cond_wait pthread_cond_timedwait pthread_cond_clockwait pthread_cond_signal pthread_cond_broadcast
    sem_wait sem_trywait sem_timedwait sem_clockwait sem_post pthread_mutex_lock pthread_mutex_timedlock
    pthread_mutex_clocklock pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_timedrdlock
    pthread_rwlock_timedwrlock pthread_rwlock_clockrdlock pthread_rwlock_clockwrlock pthread_barrier_wait pthread_join
    pthread_timedjoin_np pthread_clockjoin_np cnd_wait cnd_timedwait cnd_signal cnd_broadcast mtx_lock mtx_timedlock syscall
    read write readv writev recv recvfrom recvmsg recvmmsg send sendto sendmsg sendmmsg accept accept4 connect open openat
    flock fcntl wait waitpid wait3 wait4 waitid msgrcv msgsnd semop semtimedop mq_send mq_receive mq_timedsend
    mq_timedreceive io_uring_enter sigwait sigwaitinfo sigtimedwait signalfd
    alarm ualarm setitimer getitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create
    timerfd_settime timerfd_gettime
    pthread_create pthread_exit fork vfork _Fork clone execve execv execvp execvpe execl execlp execle fexecve execveat
    posix_spawn posix_spawnp system popen exit quick_exit _exit _Exit";

#[test]
fn no_call_of_the_families_is_left_out() {
    let text = read("libflux/ENTRY-POINTS.md");
    let cells = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.rsplit_once(" | ").map_or(line, |(c, _)| c));
    let words: BTreeSet<_> =
        cells.flat_map(|cell| cell.split(|c: char| c != '_' && !c.is_alphanumeric())).collect();
    let missing: Vec<_> =
        FAMILIES.split_whitespace().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
}

#[test]
fn each_name_has_a_tier_and_a_guest_that_says_it() {
    for line in lines() {
        let names = &line.names;
        assert!(
            !line.tier.is_empty() && !line.guests.is_empty(),
            "{names:?}: {} {:?}",
            line.tier,
            line.guests
        );
        let texts: Vec<_> =
            line.guests.iter().map(|guest| read(&format!("tests/guests/{guest}"))).collect();
        let word = |text: &String, name: &str| {
            text.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|w| w == name)
        };
        for name in names {
            assert!(
                texts.iter().any(|text| word(text, name)),
                "{name}: none of {:?} has it",
                line.guests
            );
        }
    }
}
