//! One whole JMAP request with its references (RFC 8620 §3.3, §3.7).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| congvu_jmap::fuzzing::jmap_request(bytes));
