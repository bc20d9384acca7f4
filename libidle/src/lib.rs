//! libidle.so: tells when a program has come to rest, without touching its time.
