//! One SMTP command line with its parameters (RFC 5321 §4.1).
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| congvu_smtp::fuzzing::command(line));
