//! Machine code in place of the vDSO's clock functions (vdso(7)), for clock reads that no hook
//! sees: by a program that looks the functions up itself, by a second libc, by a statically linked
//! program.
//!
//! [`image`] finds the functions in the vDSO's ELF image. [`prologue`] moves the first instructions
//! of one elsewhere. [`code`] is the new code. [`patch`] says where it goes. Nothing here touches
//! memory: the shim writes the bytes into its own process, and the tracer writes them into another
//! one.
//!
//! NOTE [The vDSO's own bytes]. The new code lies in the body of the old `gettimeofday`. Nothing
//! runs that body any more once its entry leads elsewhere, and it is the largest but one of the
//! functions. So nothing has to be mapped, all is within reach of a short jump, and only the first
//! five bytes of each other function are overwritten. The kernel makes a private copy of the page
//! for the process, forked children share it, and exec(2) brings a fresh one.
//!
//! The first whole instructions of `clock_gettime` move behind the new code and jump back to where
//! they were cut off: that is the *original*, the real clock. The move decodes them, for the usual
//! instructions of a function's beginning. If one is not known, the original is the system call,
//! which is right, and slower.
//!
//! Failed ideas: a copy of the image elsewhere (it finds the kernel's data by its own address); the
//! whole image and its data moved by mremap(2) with a copy in the old place (their addresses have
//! to be read from `/proc/self/maps`, at ten times the cost of all the rest).

mod bytes;
pub mod code;
pub mod image;
pub mod patch;
pub mod prologue;
#[cfg(all(test, not(loom)))]
mod tests;

pub use image::Image;
pub use patch::{Patch, Target};
