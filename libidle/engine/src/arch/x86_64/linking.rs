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

/// Defines a variadic function with `$fixed` named arguments, 1 to 3, all of them integers or
/// pointers; stable Rust can't. It calls `$body` with these and, as the last argument, a pointer to
/// a `va_list` of the others. `$head` is all that stands before `fn`.
#[macro_export]
macro_rules! va_list_function {
    ({ $($head:tt)* } $name:ident, 1, $body:path) => {
        $crate::va_list_function!(@ { $($head)* } $name, "8", "rsi", $body);
    };
    ({ $($head:tt)* } $name:ident, 2, $body:path) => {
        $crate::va_list_function!(@ { $($head)* } $name, "16", "rdx", $body);
    };
    ({ $($head:tt)* } $name:ident, 3, $body:path) => {
        $crate::va_list_function!(@ { $($head)* } $name, "24", "rcx", $body);
    };
    (@ { $($head:tt)* } $name:ident, $used:literal, $last:literal, $body:path) => {
        #[unsafe(naked)]
        $($head)* fn $name() {
            std::arch::naked_asm!(
                ".cfi_startproc",
                // From the bottom: the list (24 bytes), and at 32 the register save area (6 integer
                // and 8 floating point registers). The arguments on the stack lie above the return
                // address.
                "sub rsp, 216", ".cfi_adjust_cfa_offset 216",
                "mov [rsp + 32], rdi",
                "mov [rsp + 40], rsi",
                "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                // The number of floating point registers in use, or more.
                "test al, al",
                "je 2f",
                "movaps [rsp + 80], xmm0",
                "movaps [rsp + 96], xmm1",
                "movaps [rsp + 112], xmm2",
                "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4",
                "movaps [rsp + 160], xmm5",
                "movaps [rsp + 176], xmm6",
                "movaps [rsp + 192], xmm7",
                "2:",
                concat!("mov dword ptr [rsp], ", $used),
                "mov dword ptr [rsp + 4], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 8], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 16], rax",
                concat!("mov ", $last, ", rsp"),
                "call {body}",
                "add rsp, 216", ".cfi_adjust_cfa_offset -216",
                "ret",
                ".cfi_endproc",
                body = sym $body,
            );
        }
    };
}
