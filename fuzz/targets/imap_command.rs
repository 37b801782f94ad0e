//! One whole IMAP command, literals included (RFC 9051 §9).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| congvu_access::fuzzing::imap_command(bytes));
