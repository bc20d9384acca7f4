//! Machine code in place of the vDSO's clock functions (vdso(7)), for clock reads that no hook
//! sees: of a program that looks the functions up itself, of a second libc, of a statically linked
//! program.
//!
//! [`image`] finds the functions in the vDSO's ELF image, [`prologue`] moves the first instructions
//! of one elsewhere, [`code`] is what is written, [`patch`] says where. Nothing here touches
//! memory: whoever holds the image writes the bytes, the shim into its own process, the tracer into
//! another one.
//!
//! NOTE [The vDSO's own bytes]. The new code lies in the body of the old `gettimeofday`, which
//! nobody runs any more once its entry leads elsewhere, and is the largest but one of the
//! functions. So nothing has to be mapped, all is within reach of a short jump, and only the first
//! five bytes of each other function are overwritten. The kernel makes a private copy of the page
//! for the process, forked children share it, exec(2) brings a fresh one. Of `clock_gettime` the
//! first whole instructions are moved behind the new code and jump back to where they were cut off:
//! that is the *original*, the real clock. They are moved by decoding them, for the usual
//! instructions of a function's beginning; where one is not known the original is the system call,
//! which is right, and slower. Failed ideas: a copy of the image elsewhere (it finds the kernel's
//! data by its own address); the whole image and its data moved by mremap(2) with a copy in the old
//! place (their addresses have to be read from `/proc/self/maps`, ten times the cost of all the
//! rest).

mod bytes;
pub mod code;
pub mod image;
pub mod patch;
pub mod prologue;
#[cfg(all(test, not(loom)))]
mod tests;

pub use image::Image;
pub use patch::{Patch, Target};
