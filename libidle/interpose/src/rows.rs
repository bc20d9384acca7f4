//! Rows: one for each exported name. A row gives the C signature and the body; the macro makes the
//! export.

/// Exports C functions: `fn name(arg: type, …) -> type = body;`. What the body returns is turned
/// into C's answer, errno included, as the last step ([`crate::shim::errno::Answer`]). `=> kind`
/// behind the body says by which answers a loop of such calls gets on ([`crate::shim::spin_loop`]).
#[macro_export]
macro_rules! hooks {
    ($(
        fn $name:ident($($arg:ident: $t:ty),* $(,)?) $(-> $r:ty)? = $body:expr $(=> $spin:ident)?;
    )*) => {$(
        /// See the body.
        ///
        /// # Safety
        /// As for the C function of this name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $name($($arg: $t),*) $(-> $r)? {
            // SAFETY: the body has the contract of the C function, and gets what the program has
            // passed to that.
            let answer = $crate::shim::errno::Answer::answer(unsafe { $body($($arg),*) });
            $($crate::shim::spin_loop::$spin(answer as i64);)?
            answer
        }
    )*};
}
