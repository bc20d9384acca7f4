//! The registers of a stopped thread, by what they mean to a system call.

use super::calls::SYSCALL_LENGTH;
use libc::{c_long, c_void, user_regs_struct};
use std::mem::offset_of;

/// No call: the kernel makes none when the call's number is this.
const NO_CALL: u64 = u64::MAX;

/// All general registers of a thread.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Registers(user_regs_struct);

impl Default for Registers {
    fn default() -> Registers {
        // SAFETY: numbers, for which zero is a valid value.
        Registers(unsafe { std::mem::zeroed() })
    }
}

impl Registers {
    /// Where `struct user` of ptrace(2) has the number of the call.
    pub const NUMBER_IN_USER: usize = offset_of!(user_regs_struct, orig_rax);
    /// Where it has the call's answer.
    pub const ANSWER_IN_USER: usize = offset_of!(user_regs_struct, rax);

    /// Those of a thread that is in call `number`, as far as `/proc/TID/syscall` shows them.
    pub fn in_call(number: u64, args: [u64; 6], stack: u64, instruction: u64) -> Registers {
        let mut regs = Registers::default();
        (regs.0.orig_rax, regs.0.rsp, regs.0.rip) = (number, stack, instruction);
        regs.set_arguments(args);
        regs
    }

    /// For ptrace(2), which fills or reads a `struct user_regs_struct`.
    pub fn as_mut_ptr(&mut self) -> *mut c_void {
        (&raw mut self.0).cast()
    }

    /// See [`Registers::as_mut_ptr`].
    pub fn as_ptr(&self) -> *const c_void {
        (&raw const self.0).cast()
    }

    /// The number of the call that the thread is in, or was in last; -1 for none.
    pub fn number(&self) -> c_long {
        self.0.orig_rax as c_long
    }

    /// Makes another call of the one that is about to be made.
    pub fn set_number(&mut self, number: c_long) {
        self.0.orig_rax = number as u64;
    }

    /// Is the thread in a call?
    pub fn is_in_call(&self) -> bool {
        self.number() >= 0
    }

    /// Argument `n` of the call, from 0.
    pub fn argument(&self, n: usize) -> u64 {
        self.arguments()[n]
    }

    /// All arguments of the call.
    pub fn arguments(&self) -> [u64; 6] {
        let r = &self.0;
        [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9]
    }

    /// Changes argument `n`.
    pub fn set_argument(&mut self, n: usize, value: u64) {
        let mut arguments = self.arguments();
        arguments[n] = value;
        self.set_arguments(arguments);
    }

    /// Changes all arguments.
    pub fn set_arguments(&mut self, arguments: [u64; 6]) {
        let r = &mut self.0;
        [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9] = arguments;
    }

    /// The kernel's answer to the call.
    pub fn answer(&self) -> i64 {
        self.0.rax as i64
    }

    /// Gives the program another answer.
    pub fn set_answer(&mut self, answer: i64) {
        self.0.rax = answer as u64;
    }

    /// The address of the next instruction.
    pub fn instruction_pointer(&self) -> u64 {
        self.0.rip
    }

    /// The end of the thread's stack.
    pub fn stack_pointer(&self) -> u64 {
        self.0.rsp
    }

    /// Moves the end of the thread's stack.
    pub fn set_stack_pointer(&mut self, at: u64) {
        self.0.rsp = at;
    }

    /// The address of the instruction that has made the call.
    pub fn call_instruction(&self) -> u64 {
        self.0.rip - SYSCALL_LENGTH
    }

    /// The thread makes its call once more when it goes on.
    pub fn make_call_again(&mut self) {
        self.make_call_instead(self.number());
    }

    /// The thread makes call `number`, with the arguments of its last one, when it goes on.
    pub fn make_call_instead(&mut self, number: c_long) {
        (self.0.rax, self.0.rip) = (number as u64, self.call_instruction());
    }

    /// The thread makes this call when it goes on, by the instruction at that address.
    pub fn make_call(&mut self, number: c_long, arguments: [u64; 6], instruction: u64) {
        (self.0.rax, self.0.orig_rax, self.0.rip) = (number as u64, NO_CALL, instruction);
        self.set_arguments(arguments);
    }

    /// The call that is about to be made is made not at all: its number.
    pub fn skip_call(&mut self) -> c_long {
        std::mem::replace(&mut self.0.orig_rax, NO_CALL) as c_long
    }

    /// Is the thread about to make once more the call whose end had the registers `end`?
    pub fn makes_again(&self, end: &Registers) -> bool {
        self.0.rip.wrapping_add(SYSCALL_LENGTH) == end.0.rip
    }

    /// The thread is behind the call whose end had the registers `end`, with this answer.
    pub fn end_call(&mut self, end: &Registers, answer: i64) {
        (self.0.rax, self.0.rip) = (answer as u64, end.0.rip);
    }

    /// Is it the same call from the same place, with the same arguments?
    pub fn same_call(&self, other: &Registers) -> bool {
        let key = |r: &Registers| (r.number(), r.0.rip, r.0.rsp, r.arguments());
        key(self) == key(other)
    }

    /// What instructions depend on: where the thread is, the flags, all other registers.
    pub fn state(&self) -> State {
        /// Carry, parity, adjust, zero, sign, direction, overflow; see the processor's manual.
        const FLAGS: u64 = 0xcd5;
        let r = &self.0;
        let general = [r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp];
        let more = [r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15];
        let segments = [r.cs, r.ds, r.es, r.ss, r.fs, r.gs, r.fs_base, r.gs_base];
        State(r.rip, r.eflags & FLAGS, [general, more, segments])
    }

    /// The registers that addresses are made of, for [`super::instructions`].
    pub(super) fn raw(&self) -> &user_regs_struct {
        &self.0
    }
}

/// See [`Registers::state`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State(u64, u64, [[u64; 8]; 3]);
