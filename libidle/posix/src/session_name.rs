//! What the environment says of a session: where its region is, and which session it is.
//!
//! `PATH:ID` or `PATH:ID:FD`. The path belongs to a process, and its number may be another's by
//! now. So the region holds the same random number, the id. The descriptor, where there is one, is
//! of `/proc/thread-self` as the launcher sees it: what it reads there is the number of a thread in
//! the launcher's PID namespace, pid_namespaces(7).

use crate::names::DESCRIPTORS;

/// Room for any.
pub const LONGEST: usize = 96;
/// Digits of an id.
const DIGITS: usize = 16;

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionName<'a> {
    /// The region's path.
    pub path: &'a [u8],
    /// The session's id.
    pub id: u64,
    /// A descriptor that tells the launcher's numbers of threads.
    pub numbers: Option<i32>,
}

impl<'a> SessionName<'a> {
    /// From the variable's value; `None` if it is no name.
    pub fn parse(value: &'a [u8]) -> Option<SessionName<'a>> {
        let mut parts = value.split(|&byte| byte == b':');
        let (path, id, numbers) = (parts.next()?, parts.next()?, parts.next());
        let rest = parts.next();
        if path.is_empty() || id.len() != DIGITS || rest.is_some() {
            return None;
        }
        let id = u64::from_str_radix(std::str::from_utf8(id).ok()?, 16).ok()?;
        let numbers = match numbers {
            None => None,
            Some(text) => Some(number(text)?),
        };
        Some(SessionName { path, id, numbers })
    }

    /// The number of the region's descriptor, where that is inherited.
    pub fn descriptor(&self) -> Option<i32> {
        number(self.path.strip_prefix(DESCRIPTORS.as_bytes())?)
    }

    /// The variable's value; `None` if it does not fit.
    pub fn write<'b>(&self, into: &'b mut [u8; LONGEST]) -> Option<&'b [u8]> {
        const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
        let mut len = 0;
        let mut put = |bytes: &[u8]| {
            into.get_mut(len..len + bytes.len())?.copy_from_slice(bytes);
            len += bytes.len();
            Some(())
        };
        put(self.path)?;
        put(b":")?;
        for digit in (0..DIGITS).rev() {
            put(&[HEXADECIMAL[(self.id >> (4 * digit)) as usize & 15]])?;
        }
        if let Some(fd) = self.numbers {
            put(b":")?;
            put(decimal(fd.max(0) as u32, &mut [0; 10]))?;
        }
        Some(&into[..len])
    }
}

/// The path of an inherited descriptor.
pub fn path_of(fd: i32, into: &mut [u8; LONGEST]) -> &[u8] {
    let mut digits = [0; 10];
    let digits = decimal(fd.max(0) as u32, &mut digits);
    let len = DESCRIPTORS.len() + digits.len();
    into[..DESCRIPTORS.len()].copy_from_slice(DESCRIPTORS.as_bytes());
    into[DESCRIPTORS.len()..len].copy_from_slice(digits);
    &into[..len]
}

fn number(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|&fd| fd >= 0)
}

fn decimal(mut n: u32, into: &mut [u8; 10]) -> &[u8] {
    let mut at = into.len();
    loop {
        at -= 1;
        into[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &into[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for (path, id, numbers) in
            [(&b"/proc/12/fd/3"[..], 7, None), (b"/proc/self/fd/250", u64::MAX, Some(1020))]
        {
            let name = SessionName { path, id, numbers };
            let mut room = [0; LONGEST];
            assert_eq!(SessionName::parse(name.write(&mut room).expect("it fits")), Some(name));
        }
    }

    #[test]
    fn a_descriptor_is_one_of_this_process() {
        let of = |text: &[u8]| SessionName::parse(text).expect("a name").descriptor();
        assert_eq!(of(b"/proc/self/fd/250:0000000000000001"), Some(250));
        assert_eq!(of(b"/proc/1/fd/250:0000000000000001:4"), None);
    }

    #[test]
    fn what_is_no_name() {
        for text in [
            "",
            "/proc/1/fd/3",
            ":0000000000000001",
            "/x:1",
            "/x:0000000000000001:",
            "/x:0000000000000001:-1",
            "/x:0000000000000001:1:2",
            "/x:000000000000000g",
        ] {
            assert_eq!(SessionName::parse(text.as_bytes()), None, "{text}");
        }
    }
}
