//! What only one room may do: move the clock, make a thread runnable, depend on the processor.

use crate::rule::holds;
use crate::source::{ALL, Source, sources};

/// The room that decides who runs next and when the clock moves.
const SCHEDULE: &str = "libidle/engine/src/schedule/";
/// Calls that mark a thread runnable or move the clock: nobody else makes them.
const MOVERS: [&str; 10] = [
    ".set_busy(",
    ".promise(",
    ".commit(",
    ".raise(",
    "state.expire(",
    "state.interrupt(",
    "page.advance(",
    "page.pass(",
    "header.clock.set(",
    "clock.take_over(",
];

/// Assembly, names of registers, and lists of numbers of system calls, as they are written.
const MACHINE: [&str; 7] =
    ["asm!", "global_asm!", "naked_asm!", "naked", "user_regs_struct", "mod nr", "fn gate("];
const REGISTERS: [&str; 24] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "rip", "r8", "r9", "r10", "r11", "r12",
    "r13", "r14", "r15", "orig_rax", "eflags", "fs_base", "gs_base", "gregs", "REG_RIP", "REG_RSP",
];

/// The crate that a file belongs to: its path up to `/src`.
fn place(source: &Source) -> String {
    source.name.split("/src/").next().expect("a part").to_owned()
}

#[test]
fn only_the_schedule_moves_the_clock_and_makes_threads_runnable() {
    let mut found = Vec::new();
    for source in ["libidle", "libflux", "launcher"].into_iter().flat_map(sources) {
        if !source.name.starts_with(SCHEDULE) && !source.name.contains("/tests/") {
            let calls: Vec<String> = MOVERS
                .into_iter()
                .filter_map(|call| source.find(call).map(|line| format!("{call} in {line}")))
                .collect();
            if !calls.is_empty() {
                let what = format!("{}: {}", source.name, calls.join(", "));
                found.push((place(&source), 1, what));
            }
        }
    }
    holds("files that move the clock or make threads runnable", &found);
}

#[test]
fn only_arch_depends_on_the_processor() {
    let mut found = Vec::new();
    for source in ALL.into_iter().flat_map(sources) {
        if source.name.contains("/arch/") || source.name.starts_with("tests/") {
            continue;
        }
        let mut names: Vec<String> = MACHINE
            .into_iter()
            .filter_map(|what| source.find(what).map(|line| format!("{what} in {line}")))
            .collect();
        let code = source.code();
        let register = code.iter().find(|token| REGISTERS.contains(&token.text.as_str()));
        names.extend(register.map(|token| format!("{} in {}", token.text, token.line + 1)));
        // A row of a table of calls: `230 clock_nanosleep Timed`.
        let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let row = code.windows(4).find(|row| {
            row[0].is(";") && number(&row[1].text) && row[2].is_name() && row[3].is_name()
        });
        names.extend(
            row.map(|row| format!("{} {} in {}", row[1].text, row[2].text, row[1].line + 1)),
        );
        if !names.is_empty() {
            let what = format!("{}: {}", source.name, names.join(", "));
            found.push((place(&source), 1, what));
        }
    }
    holds("files that depend on the processor", &found);
}
