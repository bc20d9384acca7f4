//! The kernel's work for the session: see [`engine::region::holds`].

use crate::ProcLook;
use crate::sock_diag::{SockDiag, state};
use crate::tcp::{self, Asked, Stand};
use engine::Kind;
use engine::procfs::Path;
use engine::region::holds::{ALL_SOCKETS, PORTS, SOCKETS, TERMINALS, UNSEEN_SOCKETS};
use engine::region::layout::Page;
use engine::region::sizes::{NOTES, SLOTS};
use engine::region::state::State;
use engine::region::tracer_word::NONE;
use engine::region::wait_kind::{PORT, PORT_AT, REFUSED};
use engine::schedule::busy::{Busy, Flight};
use engine::sys;
use std::sync::atomic::Ordering::SeqCst;

/// What the look remembers of such work.
#[derive(Default)]
pub struct Flights {
    /// Real ns: up to when it has been reckoned, if the last survey found some.
    since: Option<u64>,
    /// The current round's surveys have found some.
    found: bool,
    /// A thread was found asleep in a lingering close.
    pub(crate) lingers: bool,
    /// One to ask by while the other names all sockets. `None` where the kernel has none.
    diags: Option<[SockDiag; 2]>,
    /// The current survey has found nothing to do for these notes, and for all sockets.
    still: [u64; NOTES.div_ceil(64)],
    all_still: bool,
    /// A thread waits for a port.
    ports: bool,
    /// [`traffic`] of the current survey, and when all sockets were last found still.
    traffic: Option<u64>,
    stood_still: Option<u64>,
}

/// A frozen clock moves by whole milliseconds of such work, ns.
const UNIT: u64 = 1_000_000;

impl Flights {
    /// A round of the keeper begins.
    pub fn begin(&mut self) {
        self.lingers = false;
        if !std::mem::take(&mut self.found) {
            self.since = None;
        }
    }

    /// The survey has found some. How much time has passed with it since the last answer, in whole
    /// milliseconds, ns?
    pub fn took(&mut self, real: u64) -> u64 {
        self.found = true;
        let since = self.since.get_or_insert(real);
        let took = real.saturating_sub(*since) / UNIT * UNIT;
        *since += took;
        took
    }

    fn diags(&mut self) -> Option<&[SockDiag; 2]> {
        if self.diags.is_none() {
            self.diags = SockDiag::new().zip(SockDiag::new()).map(|(a, b)| [a, b]);
        }
        self.diags.as_ref()
    }
}

impl ProcLook {
    /// All are blocked. Does the kernel work for one of them, of what `holds` stands for?
    pub(crate) fn work_in_flight(&mut self, page: &Page, holds: u32) -> Result<(), Busy> {
        if holds & TERMINALS != 0 {
            self.flush_terminals(page);
        }
        if holds & PORTS != 0 && self.waits_for_ports(page) {
            return Err(Busy::InFlight(Flight::Forgets));
        }
        if holds & (SOCKETS | ALL_SOCKETS | UNSEEN_SOCKETS) == 0 {
            return Ok(());
        }
        if self.flights.lingers {
            return Err(Busy::InFlight(Flight::Acknowledges));
        }
        (self.flights.still, self.flights.all_still) = ([0; NOTES.div_ceil(64)], false);
        let (mut flight, mut states) = (None, 0);
        for place in 0..NOTES {
            let Some(note) = page.socket_noted(place) else { continue };
            let (still, some) = match self.noted(page, note) {
                Asked::Stands(Stand::Still) => (true, None),
                Asked::Stands(Stand::Waits) => (false, None),
                Asked::Stands(Stand::UnderWay(flight)) => (false, Some(flight)),
                Asked::Connects => {
                    states |= 1 << state::SYN_SENT;
                    (false, None)
                }
                Asked::Lost => {
                    page.hold(ALL_SOCKETS);
                    (true, None)
                }
            };
            self.flights.still[place / 64] |= (still as u64) << (place % 64);
            flight = flight.or(some);
        }
        if page.header.hold.load(SeqCst) & (ALL_SOCKETS | UNSEEN_SOCKETS) != 0 {
            states = state::LIVING;
            let traffic = traffic();
            if traffic.is_some() && traffic == self.flights.stood_still {
                // No segment has come or gone since all stood still.
                (states, self.flights.all_still) = (0, true);
            }
            self.flights.stood_still = None;
            self.flights.traffic = traffic;
        }
        if states != 0
            && let Some([namer, asker]) = self.flights.diags()
        {
            let mut all_still = states == state::LIVING;
            namer.all(states, 0, |socket| match tcp::of_socket(asker, &socket) {
                Stand::Still => {}
                Stand::Waits => all_still = false,
                Stand::UnderWay(found) => flight = flight.or(Some(found)),
            });
            self.flights.all_still = all_still && flight.is_none();
        }
        flight.map_or(Ok(()), |flight| Err(Busy::InFlight(flight)))
    }

    /// Does a thread wait before it binds a port once more that is as good as free?
    fn waits_for_ports(&mut self, page: &Page) -> bool {
        self.flights.ports = false;
        let Some([diag, _]) = self.flights.diags() else { return false };
        let (mut waits, mut asked) = (false, false);
        for slot in &page.slots[..page.high()] {
            let what = slot.thread().what.load(SeqCst);
            if what & REFUSED != 0 && slot.state.load().waits() {
                asked = true;
                waits |= tcp::in_time_wait(diag, ((what & PORT) >> PORT_AT) as u16);
            }
        }
        self.flights.ports = asked;
        waits
    }

    /// Asks descriptor `fd` of the process of slot `index`; all that is what a program says.
    fn noted(&mut self, page: &Page, (index, fd, connects): (usize, i32, bool)) -> Asked {
        let pid = if index < SLOTS { page.slots[index].pid.load(SeqCst) } else { 0 };
        if pid == 0 || !self.known(index, pid) {
            return Asked::Lost;
        }
        let Some([diag, _]) = self.flights.diags() else { return Asked::Stands(Stand::Still) };
        let mut asked = Asked::Lost;
        sys::with_descriptor(pid, fd, |copy| {
            asked = tcp::of_descriptor(diag, copy, connects);
            true
        });
        asked
    }

    /// A thread sleeps where no hook sees it. Perhaps its program writes to sockets behind the
    /// hooks, too. Of a traced program the tracer knows whether it has any.
    pub(crate) fn calls_unseen(&self, index: usize, seen: State) {
        let page = self.engine.page;
        if seen.kind() == Kind::Foreign
            && page.header.hold.load(SeqCst) & UNSEEN_SOCKETS == 0
            && page.slots[index].tracer.load(SeqCst) == NONE
        {
            page.hold(UNSEEN_SOCKETS);
        }
    }

    /// Does a thread whose calls no hook sees sleep in close(2), though there are sockets?
    pub(crate) fn closes(&mut self, index: usize, seen: State, runs: u64) -> bool {
        let holds = self.engine.page.header.hold.load(SeqCst);
        seen.kind() == Kind::Foreign
            && holds & UNSEEN_SOCKETS != 0
            && self.call(index, runs).is_some_and(|call| call[0] == libc::SYS_close as u64)
    }

    /// Nobody has run since [`ProcLook::work_in_flight`]: what it found still is so until somebody
    /// writes, and is noted before.
    pub(crate) fn settle_flights(&mut self, page: &Page) {
        let holds = page.header.hold.load(SeqCst);
        if holds & TERMINALS != 0 {
            self.settle_terminals(page);
        }
        if holds & PORTS != 0 && !self.flights.ports {
            page.ports_asked();
        }
        if self.flights.all_still {
            self.flights.stood_still = self.flights.traffic;
            if holds & ALL_SOCKETS != 0 {
                page.sockets_asked();
            }
        }
        let still = self.flights.still;
        if holds & SOCKETS != 0 && still.iter().any(|&word| word != 0) {
            page.forget_sockets((0..NOTES).filter(|n| still[n / 64] >> (n % 64) & 1 != 0));
        }
    }
}

/// A number that changes with each segment of TCP that comes or goes in the network namespace.
fn traffic() -> Option<u64> {
    let mut text = [0u8; 4096];
    let counts = Path::own_thread("net/snmp").read(&mut text).ok()?;
    let mut lines = counts.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"Tcp: "));
    let counts = lines.nth(1)?;
    Some(
        counts
            .iter()
            .fold(0u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
    )
}
