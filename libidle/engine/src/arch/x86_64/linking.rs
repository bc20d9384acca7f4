//! Definitions that only the assembler can make: symbols that no program sees, and functions that
//! Rust cannot express.

/// Defines a function named by the literal `$symbol` that returns the address of `$of`, a static.
/// Other crates of the same library declare it as `extern "C" fn() -> *const c_void`; the symbol is
/// hidden, so the library does not export it.
#[macro_export]
macro_rules! address_of_static {
    ($symbol:literal, $of:path) => {
        std::arch::global_asm!(
            ".pushsection .text.interpose,\"ax\",@progbits",
            concat!(".hidden ", $symbol),
            concat!(".globl ", $symbol),
            concat!(".type ", $symbol, ",@function"),
            concat!($symbol, ":"),
            "lea rax, [rip + {of}]",
            "ret",
            ".popsection",
            of = sym $of,
        );
    };
}

/// Defines functions of these names, hidden from the program, that lead to where `$find` says at
/// each call: it is given the name, as a C string, and returns the function's address. None has
/// more than three arguments.
#[macro_export]
macro_rules! looked_up_when_called {
    ($find:path; $($name:literal),* $(,)?) => {
        std::arch::global_asm!(
            ".pushsection .text.interpose,\"ax\",@progbits",
            $(
                concat!(".hidden ", $name),
                concat!(".globl ", $name),
                concat!(".type ", $name, ",@function"),
                concat!($name, ":"),
                "push rdi",
                "push rsi",
                "push rdx",
                "lea rdi, [rip + 2f]",
                "call {find}",
                "pop rdx",
                "pop rsi",
                "pop rdi",
                // A jump: the function sees its caller's frame.
                "jmp rax",
                concat!("2: .asciz \"", $name, "\""),
            )*
            ".popsection",
            find = sym $find,
        );
    };
}

/// Defines a variadic function whose arguments are all pointers; stable Rust can't. It calls
/// `$body($kind, first, registers, stack)`: the first argument, an array of the next five, and an
/// array of the rest. `$head` is all that stands before `fn`.
#[macro_export]
macro_rules! variadic_function {
    ({ $($head:tt)* } $name:ident, $kind:literal, $body:path) => {
        #[unsafe(naked)]
        $($head)* fn $name() {
            std::arch::naked_asm!(
                ".cfi_startproc",
                // Five register arguments in order; the arguments on the stack lie above the return
                // address.
                "push r9", ".cfi_adjust_cfa_offset 8",
                "push r8", ".cfi_adjust_cfa_offset 8",
                "push rcx", ".cfi_adjust_cfa_offset 8",
                "push rdx", ".cfi_adjust_cfa_offset 8",
                "push rsi", ".cfi_adjust_cfa_offset 8",
                "mov rsi, rdi",
                "mov rdx, rsp",
                "lea rcx, [rsp + 48]",
                concat!("mov edi, ", $kind),
                "call {body}",
                "add rsp, 40", ".cfi_adjust_cfa_offset -40",
                "ret",
                ".cfi_endproc",
                body = sym $body,
            );
        }
    };
}
