use super::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Words by their addresses.
#[derive(Default)]
struct Words(RefCell<BTreeMap<u64, u64>>);

impl Memory for Words {
    fn read<const N: usize>(&self, at: u64) -> Option<[u64; N]> {
        let words = self.0.borrow();
        let mut read = [0; N];
        for (n, word) in read.iter_mut().enumerate() {
            *word = *words.get(&(at + 8 * n as u64))?;
        }
        Some(read)
    }

    fn write<const N: usize>(&self, at: u64, new: [u64; N]) -> Option<()> {
        let mut words = self.0.borrow_mut();
        for (n, word) in new.into_iter().enumerate() {
            *words.get_mut(&(at + 8 * n as u64))? = word;
        }
        Some(())
    }
}

/// 1.5 s, an invalid time, a negative one, and two words that nobody knows.
const GOOD: u64 = 0x1000;
const BAD: u64 = 0x2000;
const NEGATIVE: u64 = 0x3000;
const NOWHERE: u64 = 0x9000;

fn memory() -> Words {
    let words = Words::default();
    for (at, [sec, nsec]) in
        [(GOOD, [1, 500_000_000]), (BAD, [1, 1_000_000_000]), (NEGATIVE, [-1i64 as u64, 0])]
    {
        words.0.borrow_mut().extend([(at, sec), (at + 8, nsec)]);
    }
    words
}

const TIME: Until = Until::After(Span::from_ms(1500));

fn at(clock: i32) -> Until {
    Until::At { clock, at: Spec { sec: 1, nsec: 500_000_000 } }
}

/// A call whose time is a `struct timespec`, which argument that is, and what it means.
type Row = (Call, [u64; 6], usize, (Until, i64, Left, Restart));

fn timed() -> Vec<Row> {
    let (again, late) = (-11, -110);
    let (no, never) = (Left::No, Restart::Never);
    vec![
        (Call::Ppoll, [0; 6], 2, (TIME, 0, Left::Timespec(GOOD), never)),
        (Call::Pselect, [0; 6], 4, (TIME, 0, Left::Timespec(GOOD), never)),
        (Call::EpollPwait2, [0; 6], 3, (TIME, 0, no, never)),
        (Call::IoGetevents, [0; 6], 4, (TIME, 0, no, never)),
        (Call::IoPgetevents, [0; 6], 4, (TIME, 0, no, never)),
        (Call::Recvmmsg, [0; 6], 4, (TIME, 0, Left::Timespec(GOOD), never)),
        (Call::SigTimedWait, [0; 6], 2, (TIME, again, no, never)),
        (Call::SemTimedOp, [0; 6], 3, (TIME, again, no, never)),
        (Call::MqTimedSend, [0; 6], 4, (at(0), late, no, Restart::Flag)),
        (Call::MqTimedReceive, [0; 6], 4, (at(0), late, no, Restart::Flag)),
        (Call::Futex, [0, 128, 0, 0, 0, 0], 3, (TIME, late, no, never)),
        (Call::Futex, [0, 9, 0, 0, 0, 0], 3, (at(1), late, no, never)),
        (Call::Futex, [0, 9 | 128 | 256, 0, 0, 0, 0], 3, (at(0), late, no, never)),
        (Call::Futex, [0, 6, 0, 0, 0, 0], 3, (at(0), late, no, Restart::Always)),
        (Call::Futex, [0, 13, 0, 0, 0, 0], 3, (at(1), late, no, Restart::Always)),
        (Call::Futex, [0, 11 | 256, 0, 0, 0, 0], 3, (at(0), late, no, Restart::Always)),
        (Call::FutexWaitv, [0, 0, 0, 0, 1, 0], 3, (at(1), late, no, Restart::Flag)),
        (Call::FutexWait, [0, 0, 0, 0, 0, 1], 4, (at(1), late, no, Restart::Flag)),
    ]
}

#[test]
fn what_each_call_means() {
    for (call, mut arguments, n, (until, timed_out, left, restart)) in timed() {
        assert_eq!(begins(call, arguments, &memory()), Ok(None), "{call:?} without a limit");
        let unlimited = arguments;
        arguments[n] = GOOD;
        let expected = Wait { until, timed_out, left, restart, unlimited };
        assert_eq!(begins(call, arguments, &memory()), Ok(Some(expected)), "{call:?}");
    }
}

#[test]
fn what_the_kernel_refuses() {
    let refused = [(BAD, Errno::EINVAL), (NEGATIVE, Errno::EINVAL), (NOWHERE, Errno::EFAULT)];
    for (call, mut arguments, n, ..) in timed() {
        for (at, error) in refused {
            arguments[n] = at;
            assert_eq!(begins(call, arguments, &memory()), Err(error), "{call:?} {at:#x}");
        }
    }
    for (at, error) in refused.into_iter().chain([(0, Errno::EFAULT)]) {
        for call in [
            (Call::Nanosleep, [at, 0, 0, 0, 0, 0]),
            (Call::ClockNanosleep, [1, 0, at, 0, 0, 0]),
            (Call::ClockNanosleep, [0, 1, at, 0, 0, 0]),
        ] {
            assert_eq!(begins(call.0, call.1, &memory()), Err(error), "{call:?}");
        }
    }
    // A command of futex(2) that does not wait has a number there.
    assert_eq!(begins(Call::Futex, [0, 3, 0, 77, 0, 0], &memory()), Ok(None));
}

#[test]
fn sleeps() {
    let sleep = |until, left, arguments| {
        Ok(Some(Wait { until, timed_out: 0, left, restart: Restart::Never, unlimited: arguments }))
    };
    let left = Left::Interrupted(NOWHERE);
    let arguments = [GOOD, NOWHERE, 0, 0, 0, 0];
    assert_eq!(begins(Call::Nanosleep, arguments, &memory()), sleep(TIME, left, arguments));
    let clock_nanosleep = |clock: i32, flags| [clock as u64, flags, GOOD, NOWHERE, 0, 0];
    let table = [
        (clock_nanosleep(0, 0), sleep(TIME, left, clock_nanosleep(0, 0))),
        (clock_nanosleep(7, 0), sleep(TIME, left, clock_nanosleep(7, 0))),
        (clock_nanosleep(0, 1), sleep(at(0), Left::No, clock_nanosleep(0, 1))),
        (clock_nanosleep(1, 1), sleep(at(1), Left::No, clock_nanosleep(1, 1))),
        // Processor time is the kernel's; on some clocks nobody sleeps.
        (clock_nanosleep(2, 0), Ok(None)),
        (clock_nanosleep(-6, 1), Ok(None)),
        (clock_nanosleep(77, 0), Ok(None)),
        (clock_nanosleep(4, 0), Err(Errno::EOPNOTSUPP)),
        (clock_nanosleep(5, 1), Err(Errno::EOPNOTSUPP)),
    ];
    for (arguments, expected) in table {
        assert_eq!(begins(Call::ClockNanosleep, arguments, &memory()), expected);
    }
}

#[test]
fn milliseconds_and_microseconds() {
    for (call, n) in [(Call::Poll, 2), (Call::EpollWait, 3), (Call::EpollPwait, 3)] {
        let until = |ms: i32| {
            let mut arguments = [0; 6];
            arguments[n] = ms as u32 as u64;
            begins(call, arguments, &memory()).unwrap().map(|wait| wait.until)
        };
        assert_eq!(until(-1), None);
        assert_eq!(until(0), Some(Until::After(Span::ZERO)));
        assert_eq!(until(1500), Some(TIME));
    }
    let memory = memory();
    let select = |at| begins(Call::Select, [0, 0, 0, 0, at, 0], &memory);
    let carried = select(GOOD).unwrap().unwrap();
    assert_eq!(carried.until, Until::After(Span::from_secs(501)));
    assert_eq!(carried.left.tell(&memory, Span::from_ms(2500), false), Some(()));
    assert_eq!(memory.read(GOOD), Some([2, 500_000]));
    memory.0.borrow_mut().extend([(0x7000, 0), (0x7008, 0)]);
    assert_eq!(select(0x7000).unwrap().unwrap().left, Left::No, "it only asks");
    assert_eq!(select(0), Ok(None));
    assert_eq!(select(NEGATIVE), Err(Errno::EINVAL));
}

#[test]
fn what_is_left_is_told_where_the_call_says() {
    let memory = memory();
    let left = Span::from_ms(700);
    assert_eq!(Left::Interrupted(GOOD).tell(&memory, left, false), Some(()));
    assert_eq!(memory.read(GOOD), Some([1, 500_000_000]));
    assert_eq!(Left::Interrupted(0).tell(&memory, left, true), Some(()));
    assert_eq!(Left::Interrupted(NOWHERE).tell(&memory, left, true), None);
    assert_eq!(Left::Interrupted(GOOD).tell(&memory, left, true), Some(()));
    assert_eq!(memory.read(GOOD), Some([0, 700_000_000]));
    assert_eq!(Left::Timespec(NOWHERE).tell(&memory, left, false), None);
}

#[test]
fn io_uring() {
    const ARGUMENT: u64 = 0x4000;
    let memory = memory();
    let given = |shortest: u64, time| {
        let words = [(ARGUMENT, 0x7000), (ARGUMENT + 8, 8 | shortest << 32), (ARGUMENT + 16, time)];
        memory.0.borrow_mut().extend(words);
    };
    let enter = |flags| [9, 0, 1, flags, ARGUMENT, IORING_ARGUMENT];
    given(0, GOOD);
    let wait = begins(Call::IoUringEnter, enter(1 | 8), &memory).unwrap().unwrap();
    assert_eq!((wait.until, wait.timed_out), (TIME, -62));
    assert_eq!(wait.unlimited, [9, 0, 1, 1, 0x7000, 8]);
    let wait = begins(Call::IoUringEnter, enter(1 | 8 | 32), &memory).unwrap().unwrap();
    assert_eq!((wait.until, wait.unlimited[3]), (at(1), 1));
    for flags in [1, 8, 1 | 8 | 64] {
        assert_eq!(begins(Call::IoUringEnter, enter(flags), &memory), Ok(None));
    }
    given(5, GOOD);
    let wait = begins(Call::IoUringEnter, enter(1 | 8), &memory).unwrap().unwrap();
    assert_eq!(wait.unlimited, enter(1 | 8));
    given(0, 0);
    assert_eq!(begins(Call::IoUringEnter, enter(1 | 8), &memory), Ok(None));
}

#[test]
fn sets_of_signals() {
    const SET: u64 = 0x5000;
    const PAIR: u64 = 0x6000;
    let memory = memory();
    memory.0.borrow_mut().extend([(SET, 0xabc), (PAIR, SET), (PAIR + 8, 8)]);
    for (call, arguments) in [
        (Call::Ppoll, [0, 0, 0, SET, 0, 0]),
        (Call::EpollPwait, [0, 0, 0, 0, SET, 0]),
        (Call::EpollPwait2, [0, 0, 0, 0, SET, 0]),
        (Call::Pselect, [0, 0, 0, 0, 0, PAIR]),
        (Call::IoPgetevents, [0, 0, 0, 0, 0, PAIR]),
        (Call::IoUringEnter, [0, 0, 0, 1, SET, 8]),
        (Call::IoUringEnter, [0, 0, 0, 9, PAIR, 24]),
    ] {
        assert_eq!(mask(call, arguments, &memory), Some(0xabc), "{call:?}");
        assert_eq!(mask(call, [0; 6], &memory), None, "{call:?}");
    }
    assert_eq!(mask(Call::Poll, [SET; 6], &memory), None);
}
