#![cfg(loom)]
#[test] fn t(){ loom::model(||{}); }
