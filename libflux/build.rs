//! How the library is linked.

fn main() {
    // One mapping and one mprotect(2) less in every process that is started: 2 to 4 % of a fork,
    // exec and exit. What stays writable are tables of the library itself, in programs under test.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,norelro");
    println!("cargo::rerun-if-changed=build.rs");
}
