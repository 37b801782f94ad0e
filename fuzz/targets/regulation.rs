//! A regulation file: findings, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = congvu_regulation::Regulation::parse(text);
});
