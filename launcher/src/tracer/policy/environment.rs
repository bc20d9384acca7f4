//! The environment of a dynamically linked program that a traced one has executed: it must load the
//! library and find the session and its slot. The kernel has laid out the initial stack by now. The
//! tracer builds a new one below it. From the stack of a 32-bit program it takes out the library in
//! place.

use super::exec_setup::Kit;
use super::process::Descriptors;
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::wait::Stopped;
use engine::programs::elf::Program;
use engine::programs::preload::Form;
use posix::names::{FLUX, LD_PRELOAD, Name};
use posix::session_name::{self, SessionName, path_of};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Longest variable that is read.
const LONGEST: usize = 1 << 17;
/// Words of the old stack that are looked through for their end. Of arguments and environment the
/// kernel allows 6 MiB.
const MOST: usize = 1 << 20;

/// Variables of the session, and the library.
pub struct Variables {
    /// `FLUX_SESSION`.
    pub session: OsString,
    /// `FLUX_LIBRARY`.
    pub library: OsString,
}

impl Variables {
    /// Rewrites the environment of the `program` that has just been executed; `slot` is its credit,
    /// `kept` what it inherits. Does nothing where the stack cannot be read.
    pub fn set(
        &self,
        kit: &Kit,
        stopped: Stopped,
        program: Option<Program>,
        slot: u64,
        kept: Option<Descriptors>,
    ) -> Result<Stopped, Failed> {
        let memory = Memory(stopped.tid());
        let mut regs = stopped.registers()?;
        if program == Some(Program::Foreign) {
            self.take_out(memory, regs.stack_pointer());
            return Ok(stopped);
        }
        let Some((at, bytes)) = self.rebuilt(memory, regs.stack_pointer(), program, slot, kept)
        else {
            return Ok(stopped);
        };
        let stopped = kit.grow_stack(stopped, at)?;
        if memory.write_bytes(at, &bytes).is_ok() {
            regs.set_stack_pointer(at);
            stopped.set_registers(&regs)?;
        }
        Ok(stopped)
    }

    /// Takes the library out of the environment of a 32-bit program, whose dynamic linker would
    /// complain.
    fn take_out(&self, memory: Memory, stack: u64) -> Option<()> {
        let word = |n: u64| memory.read::<u32>(stack + 4 * n).ok();
        let count = word(0)? as u64;
        for n in (count + 2..).take(MOST) {
            let at = word(n).filter(|&at| at != 0)? as u64;
            let entry = memory.text(at, LONGEST)?;
            if let Some(list) = LD_PRELOAD.value_in(&entry) {
                let mut less = vec![];
                Form::Out.value(self.library.as_bytes(), list, &mut |piece| less.extend(piece));
                less.resize(list.len(), 0);
                return memory.write_bytes(at + (entry.len() - list.len()) as u64, &less).ok();
            }
        }
        None
    }

    /// The new stack pointer, and what is to be written there.
    fn rebuilt(
        &self,
        memory: Memory,
        stack: u64,
        program: Option<Program>,
        slot: u64,
        kept: Option<Descriptors>,
    ) -> Option<(u64, Vec<u8>)> {
        let mut at = stack;
        let mut next = || {
            let word: u64 = memory.read(at).ok()?;
            at += 8;
            Some(word)
        };
        let count = next()?;
        let mut words = vec![count];
        for _ in 0..=count.min(MOST as u64) {
            words.push(next()?);
        }
        let mut preload = vec![];
        for _ in 0..MOST {
            let entry = next()?;
            if entry == 0 {
                break;
            }
            let text = memory.text(entry, LONGEST).unwrap_or_default();
            let ours = [FLUX.session, FLUX.library, FLUX.slot];
            match LD_PRELOAD.value_in(&text) {
                Some(list) => preload = list.to_vec(),
                None if ours.iter().any(|name| name.value_in(&text).is_some()) => {}
                None => words.push(entry),
            }
        }
        let lines = self.lines(&preload, program, slot, kept);
        // More entries, whose addresses are known when the strings are placed, a NULL, and the
        // auxiliary vector.
        let entries = words.len();
        words.resize(entries + lines.len() + 1, 0);
        for _ in 0..MOST {
            let (kind, value) = (next()?, next()?);
            words.extend([kind, value]);
            if kind == 0 {
                break;
            }
        }
        let mut text = vec![];
        let mut offsets = vec![];
        for line in &lines {
            offsets.push(text.len() as u64);
            text.extend(line);
            text.push(0);
        }
        let strings = stack - text.len() as u64;
        let new = (strings - 8 * words.len() as u64) & !15;
        for (word, offset) in words[entries..].iter_mut().zip(offsets) {
            *word = strings + offset;
        }
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.resize((strings - new) as usize, 0);
        bytes.extend(text);
        Some((new, bytes))
    }

    fn lines(
        &self,
        preload: &[u8],
        program: Option<Program>,
        slot: u64,
        kept: Option<Descriptors>,
    ) -> Vec<Vec<u8>> {
        let library = self.library.as_bytes();
        let mut room = [[0; session_name::LONGEST]; 2];
        let [path, session] = &mut room;
        let name = kept.zip(SessionName::parse(self.session.as_bytes()));
        let name = name.and_then(|(kept, SessionName { id, .. })| {
            let path = path_of(kept.region, path);
            SessionName { path, id, numbers: kept.numbers }.write(session)
        });
        let session = name.unwrap_or(self.session.as_bytes());
        let mut list = vec![];
        // AddressSanitizer reads its options from where the kernel says that the environment is,
        // which is not here.
        let form =
            if program == Some(Program::ShimmedAsan) { Form::Out } else { Form::of(program) };
        form.value(library, preload, &mut |piece| list.extend(piece));
        let line = |name: Name, value: &[u8]| [name.text().as_bytes(), b"=", value].concat();
        let mut lines = vec![
            line(FLUX.session, session),
            line(FLUX.library, library),
            line(FLUX.slot, slot.to_string().as_bytes()),
        ];
        // An empty one is none.
        lines.extend((!list.is_empty()).then(|| line(LD_PRELOAD, &list)));
        lines
    }
}
