//! The rows of stdio that both libraries have: what may read or write.
//!
//! `fn NAME(ARGUMENTS) -> ANSWER = STREAM: QUESTION;`. If the stream's answer to the question
//! ([`crate::shim::stream`]) is yes, the call will not ask the kernel, and is made as it is.
//! Otherwise it is made inside a kernel wait.

/// Exports functions on streams.
#[macro_export]
macro_rules! streams {
    ($(
        fn $name:ident($($arg:ident: $t:ty),*) -> $r:ty
            = $stream:ident: $asks:ident($($with:expr),*);
    )*) => {$(
        /// As libc's.
        ///
        /// # Safety
        /// As for the C function of this name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $name($($arg: $t),*) -> $r {
            let real = $crate::next!($name: fn($($t),*) -> $r);
            // SAFETY: the program's own open stream, or one of libc's.
            let stream = unsafe { stdio::Stream::of($stream) };
            // SAFETY: what the program has passed to the C function.
            #[allow(unused_unsafe, reason = "few questions look at a string")]
            let ready = unsafe { stream.$asks($($with),*) };
            stdio::call(stream, ready.into(), || real($($arg),*))
        }
    )*};
}

/// Exports variadic functions that do what those with a list do: `NAME = NUMBER OF NAMED ARGUMENTS
/// => NAME OF THE OTHER`.
#[macro_export]
macro_rules! stream_lists {
    ($($name:ident = $fixed:tt => $other:path),* $(,)?) => {$(
        engine::va_list_function! {
            {
                /// As libc's.
                ///
                /// # Safety
                /// As for the C function of this name.
                #[unsafe(no_mangle)]
                pub unsafe extern "C-unwind"
            }
            $name, $fixed, $other
        }
    )*};
}

/// Exports all of them.
#[macro_export]
macro_rules! stdio_rows {
    () => {
        use $crate::hooks::stdio::{stderr, stdin, stdout};
        use $crate::shim::stream::{FORMATTED, Held};

        // What reads.
        $crate::streams! {
            fn fgetc(file: *mut FILE) -> c_int = file: has(1);
            fn getc(file: *mut FILE) -> c_int = file: has(1);
            fn _IO_getc(file: *mut FILE) -> c_int = file: has(1);
            fn fgetc_unlocked(file: *mut FILE) -> c_int = file: has(1);
            fn getc_unlocked(file: *mut FILE) -> c_int = file: has(1);
            fn getchar() -> c_int = stdin: has(1);
            fn getchar_unlocked() -> c_int = stdin: has(1);
            fn getw(file: *mut FILE) -> c_int = file: has(size_of::<c_int>());
            fn fgets(to: *mut c_char, n: c_int, file: *mut FILE) -> *mut c_char = file: has_text(n, Held::No);
            fn fgets_unlocked(to: *mut c_char, n: c_int, file: *mut FILE) -> *mut c_char = file: has_text(n, Held::Yes);
            fn __fgets_chk(to: *mut c_char, size: size_t, n: c_int, file: *mut FILE) -> *mut c_char = file: has_text(n, Held::No);
            fn __fgets_unlocked_chk(to: *mut c_char, size: size_t, n: c_int, file: *mut FILE) -> *mut c_char = file: has_text(n, Held::Yes);
            fn getpass(prompt: *const c_char) -> *mut c_char = stdin: asks();
            fn gets(to: *mut c_char) -> *mut c_char = stdin: has_line(b'\n');
            fn __gets_chk(to: *mut c_char, size: size_t) -> *mut c_char = stdin: has_line(b'\n');
            fn getline(line: *mut *mut c_char, size: *mut size_t, file: *mut FILE) -> ssize_t = file: has_line(b'\n');
            fn getdelim(line: *mut *mut c_char, size: *mut size_t, stop: c_int, file: *mut FILE) -> ssize_t = file: has_line(stop as u8);
            fn __getdelim(line: *mut *mut c_char, size: *mut size_t, stop: c_int, file: *mut FILE) -> ssize_t = file: has_line(stop as u8);
            fn fread(to: *mut c_void, size: size_t, n: size_t, file: *mut FILE) -> size_t = file: has(size.saturating_mul(n));
            fn fread_unlocked(to: *mut c_void, size: size_t, n: size_t, file: *mut FILE) -> size_t = file: has(size.saturating_mul(n));
            fn __fread_chk(to: *mut c_void, room: size_t, size: size_t, n: size_t, file: *mut FILE) -> size_t = file: has(size.saturating_mul(n));
            fn __fread_unlocked_chk(to: *mut c_void, room: size_t, size: size_t, n: size_t, file: *mut FILE) -> size_t = file: has(size.saturating_mul(n));
            fn vscanf(format: *const c_char, list: stdio::VaList) -> c_int = stdin: has_words(format, Held::No);
            fn vfscanf(file: *mut FILE, format: *const c_char, list: stdio::VaList) -> c_int = file: has_words(format, Held::No);
            fn __isoc99_vscanf(format: *const c_char, list: stdio::VaList) -> c_int = stdin: has_words(format, Held::No);
            fn __isoc99_vfscanf(file: *mut FILE, format: *const c_char, list: stdio::VaList) -> c_int = file: has_words(format, Held::No);
            fn __isoc23_vscanf(format: *const c_char, list: stdio::VaList) -> c_int = stdin: has_words(format, Held::No);
            fn __isoc23_vfscanf(file: *mut FILE, format: *const c_char, list: stdio::VaList) -> c_int = file: has_words(format, Held::No);
            fn __vfscanf(file: *mut FILE, format: *const c_char, list: stdio::VaList) -> c_int = file: has_words(format, Held::No);
            fn __uflow(file: *mut FILE) -> c_int = file: asks();
            fn __underflow(file: *mut FILE) -> c_int = file: asks();
        }

        // What reads wide characters.
        $crate::streams! {
            fn fgetwc(file: *mut FILE) -> c_uint = file: has_wide();
            fn getwc(file: *mut FILE) -> c_uint = file: has_wide();
            fn fgetwc_unlocked(file: *mut FILE) -> c_uint = file: has_wide();
            fn getwc_unlocked(file: *mut FILE) -> c_uint = file: has_wide();
            fn getwchar() -> c_uint = stdin: has_wide();
            fn getwchar_unlocked() -> c_uint = stdin: has_wide();
            fn fgetws(to: *mut wchar_t, n: c_int, file: *mut FILE) -> *mut wchar_t = file: asks();
            fn fgetws_unlocked(to: *mut wchar_t, n: c_int, file: *mut FILE) -> *mut wchar_t = file: asks();
            fn __fgetws_chk(to: *mut wchar_t, size: size_t, n: c_int, file: *mut FILE) -> *mut wchar_t = file: asks();
            fn __fgetws_unlocked_chk(to: *mut wchar_t, size: size_t, n: c_int, file: *mut FILE) -> *mut wchar_t = file: asks();
            fn vwscanf(format: *const wchar_t, list: stdio::VaList) -> c_int = stdin: asks();
            fn vfwscanf(file: *mut FILE, format: *const wchar_t, list: stdio::VaList) -> c_int = file: asks();
            fn __isoc99_vwscanf(format: *const wchar_t, list: stdio::VaList) -> c_int = stdin: asks();
            fn __isoc99_vfwscanf(file: *mut FILE, format: *const wchar_t, list: stdio::VaList) -> c_int = file: asks();
            fn __isoc23_vwscanf(format: *const wchar_t, list: stdio::VaList) -> c_int = stdin: asks();
            fn __isoc23_vfwscanf(file: *mut FILE, format: *const wchar_t, list: stdio::VaList) -> c_int = file: asks();
        }

        // What writes.
        $crate::streams! {
            fn fputc(byte: c_int, file: *mut FILE) -> c_int = file: takes_byte(byte);
            fn putc(byte: c_int, file: *mut FILE) -> c_int = file: takes_byte(byte);
            fn _IO_putc(byte: c_int, file: *mut FILE) -> c_int = file: takes_byte(byte);
            fn fputc_unlocked(byte: c_int, file: *mut FILE) -> c_int = file: takes_byte(byte);
            fn putc_unlocked(byte: c_int, file: *mut FILE) -> c_int = file: takes_byte(byte);
            fn putchar(byte: c_int) -> c_int = stdout: takes_byte(byte);
            fn putchar_unlocked(byte: c_int) -> c_int = stdout: takes_byte(byte);
            fn putw(word: c_int, file: *mut FILE) -> c_int = file: takes(size_of::<c_int>());
            fn fputs(text: *const c_char, file: *mut FILE) -> c_int = file: takes(strlen(text));
            fn fputs_unlocked(text: *const c_char, file: *mut FILE) -> c_int = file: takes(strlen(text));
            fn puts(text: *const c_char) -> c_int = stdout: takes(strlen(text) + 1);
            fn fwrite(from: *const c_void, size: size_t, n: size_t, file: *mut FILE) -> size_t = file: takes(size.saturating_mul(n));
            fn fwrite_unlocked(from: *const c_void, size: size_t, n: size_t, file: *mut FILE) -> size_t = file: takes(size.saturating_mul(n));
            fn vprintf(format: *const c_char, list: stdio::VaList) -> c_int = stdout: takes(FORMATTED);
            fn vfprintf(file: *mut FILE, format: *const c_char, list: stdio::VaList) -> c_int = file: takes(FORMATTED);
            fn __vprintf_chk(flag: c_int, format: *const c_char, list: stdio::VaList) -> c_int = stdout: takes(FORMATTED);
            fn __vfprintf_chk(file: *mut FILE, flag: c_int, format: *const c_char, list: stdio::VaList) -> c_int = file: takes(FORMATTED);
            fn fflush_unlocked(file: *mut FILE) -> c_int = file: is_written();
            fn fseek(file: *mut FILE, to: c_long, from: c_int) -> c_int = file: is_written();
            fn fseeko(file: *mut FILE, to: off_t, from: c_int) -> c_int = file: is_written();
            fn fseeko64(file: *mut FILE, to: off_t, from: c_int) -> c_int = file: is_written();
            fn rewind(file: *mut FILE) -> () = file: is_written();
            fn fsetpos(file: *mut FILE, to: *const c_void) -> c_int = file: is_written();
            fn fsetpos64(file: *mut FILE, to: *const c_void) -> c_int = file: is_written();
            fn perror(text: *const c_char) -> () = stderr: asks();
            fn psignal(signal: c_int, text: *const c_char) -> () = stderr: asks();
            fn psiginfo(info: *const siginfo_t, text: *const c_char) -> () = stderr: asks();
            fn __overflow(file: *mut FILE, byte: c_int) -> c_int = file: takes_byte(byte);
        }

        // What writes wide characters.
        $crate::streams! {
            fn fputwc(letter: wchar_t, file: *mut FILE) -> c_uint = file: takes_wide(1);
            fn putwc(letter: wchar_t, file: *mut FILE) -> c_uint = file: takes_wide(1);
            fn fputwc_unlocked(letter: wchar_t, file: *mut FILE) -> c_uint = file: takes_wide(1);
            fn putwc_unlocked(letter: wchar_t, file: *mut FILE) -> c_uint = file: takes_wide(1);
            fn putwchar(letter: wchar_t) -> c_uint = stdout: takes_wide(1);
            fn putwchar_unlocked(letter: wchar_t) -> c_uint = stdout: takes_wide(1);
            fn fputws(text: *const wchar_t, file: *mut FILE) -> c_int = file: takes_wide(stdio::wide_length(text));
            fn fputws_unlocked(text: *const wchar_t, file: *mut FILE) -> c_int = file: takes_wide(stdio::wide_length(text));
            fn vwprintf(format: *const wchar_t, list: stdio::VaList) -> c_int = stdout: takes_wide(FORMATTED);
            fn vfwprintf(file: *mut FILE, format: *const wchar_t, list: stdio::VaList) -> c_int = file: takes_wide(FORMATTED);
            fn __vwprintf_chk(flag: c_int, format: *const wchar_t, list: stdio::VaList) -> c_int = stdout: takes_wide(FORMATTED);
            fn __vfwprintf_chk(file: *mut FILE, flag: c_int, format: *const wchar_t, list: stdio::VaList) -> c_int = file: takes_wide(FORMATTED);
        }

        $crate::stream_lists!(
            scanf = 1 => vscanf,
            fscanf = 2 => vfscanf,
            __isoc99_scanf = 1 => __isoc99_vscanf,
            __isoc99_fscanf = 2 => __isoc99_vfscanf,
            __isoc23_scanf = 1 => __isoc23_vscanf,
            __isoc23_fscanf = 2 => __isoc23_vfscanf,
            wscanf = 1 => vwscanf,
            fwscanf = 2 => vfwscanf,
            __isoc99_wscanf = 1 => __isoc99_vwscanf,
            __isoc99_fwscanf = 2 => __isoc99_vfwscanf,
            __isoc23_wscanf = 1 => __isoc23_vwscanf,
            __isoc23_fwscanf = 2 => __isoc23_vfwscanf,
            printf = 1 => vprintf,
            fprintf = 2 => vfprintf,
            __printf_chk = 2 => __vprintf_chk,
            __fprintf_chk = 3 => __vfprintf_chk,
            wprintf = 1 => vwprintf,
            fwprintf = 2 => vfwprintf,
            __wprintf_chk = 2 => __vwprintf_chk,
            __fwprintf_chk = 3 => __vfwprintf_chk,
            dprintf = 2 => vdprintf,
            __dprintf_chk = 3 => __vdprintf_chk,
        );

        // What has no stream yet, all streams, or none.
        $crate::hooks! {
            fn vdprintf(fd: c_int, format: *const c_char, list: stdio::VaList) -> c_int = stdio::vdprintf;
            fn __vdprintf_chk(fd: c_int, flag: c_int, format: *const c_char, list: stdio::VaList) -> c_int = stdio::__vdprintf_chk;
            fn fopen(path: *const c_char, mode: *const c_char) -> *mut FILE = stdio::fopen;
            fn fopen64(path: *const c_char, mode: *const c_char) -> *mut FILE = stdio::fopen64;
            fn freopen(path: *const c_char, mode: *const c_char, file: *mut FILE) -> *mut FILE = stdio::freopen;
            fn freopen64(path: *const c_char, mode: *const c_char, file: *mut FILE) -> *mut FILE = stdio::freopen64;
            fn fflush(file: *mut FILE) -> c_int = stdio::fflush;
            fn fcloseall() -> c_int = stdio::fcloseall;
            fn flockfile(file: *mut FILE) -> () = stdio::flockfile;
        }
    };
}
