#![no_main]

#[allow(dead_code)]
#[path = "../../support/peers.rs"]
mod peers;
#[path = "../targets/room.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
