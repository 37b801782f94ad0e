//! A message's text after DATA, arriving in two pieces (RFC 5321 §4.5.2).
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&[u8], &[u8])| congvu_smtp::fuzzing::body(input.0, input.1));
