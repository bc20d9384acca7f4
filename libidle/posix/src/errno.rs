//! Error numbers, and where they stand in what the kernel answers.

/// An error number, positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

/// The numbers that the meaning of calls needs: they are the same on all of Linux's processors that
/// have 64 bits, but for Alpha, MIPS and SPARC.
impl Errno {
    /// Operation not permitted.
    pub const EPERM: Errno = Errno(1);
    /// Interrupted by a signal handler.
    pub const EINTR: Errno = Errno(4);
    /// Nothing there, or nothing came in time.
    pub const EAGAIN: Errno = Errno(11);
    /// Bad address.
    pub const EFAULT: Errno = Errno(14);
    /// Invalid argument.
    pub const EINVAL: Errno = Errno(22);
    /// `ETIME`: the timer has expired.
    pub const ETIME: Errno = Errno(62);
    /// Not supported; glibc's `ENOTSUP` is the same number.
    pub const EOPNOTSUPP: Errno = Errno(95);
    /// Timed out.
    pub const ETIMEDOUT: Errno = Errno(110);
    /// Goes on without the caller.
    pub const EINPROGRESS: Errno = Errno(115);

    /// As a system call answers it.
    pub const fn answer(self) -> i64 {
        -(self.0 as i64)
    }
}

/// What a call interrupted by a signal answers, as a tracer sees it, so that it is made again if no
/// handler runs, and is EINTR else (`ERESTARTNOHAND` of the kernel's `linux/errno.h`).
pub const RESTART_WITHOUT_HANDLER: i64 = -514;

/// Is it an error that a system call answers, rather than a number or an address?
#[inline(always)]
pub const fn is_error(raw: isize) -> bool {
    -4095 <= raw && raw < 0
}

/// What a system call has answered.
#[inline(always)]
pub const fn result(raw: isize) -> Result<isize, Errno> {
    if is_error(raw) { Err(Errno(-raw as i32)) } else { Ok(raw) }
}

/// Says a call so that the kernel makes it again? Only a tracer ever sees these answers:
/// `ERESTARTSYS` to `ERESTART_RESTARTBLOCK`.
pub const fn restarts(answer: i64) -> bool {
    -516 <= answer && answer <= -512
}

/// Has a signal ended the call, whether or not it will be made again?
pub const fn interrupted(answer: i64) -> bool {
    restarts(answer) || answer == Errno::EINTR.answer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_no_errors() {
        let table = [
            (0, Ok(0)),
            (7, Ok(7)),
            (-1, Err(Errno::EPERM)),
            (-4095, Err(Errno(4095))),
            (-4096, Ok(-4096)),
            (isize::MIN, Ok(isize::MIN)),
        ];
        for (raw, expected) in table {
            assert_eq!(result(raw), expected);
        }
    }

    #[test]
    fn what_a_tracer_sees_of_a_signal() {
        assert!([-512, -513, -514, -516].into_iter().all(restarts));
        assert!(![-511, -517, -4, 0, 512].into_iter().any(restarts));
        assert!(interrupted(-4) && interrupted(-516) && !interrupted(-11));
    }
}
