//! The stdio family: streams, whose reads and writes libc makes itself.

flux_tests::guests! { "stdio";
    reads: 44;
    writes: 47;
    wide: 38;
}
