//! Symbols by which parts of one library find each other, and which no program sees.

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
