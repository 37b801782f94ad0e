//! A script and a message, apart by a NUL: it parses or its faults have places; it runs within its budget; rules read back.
#![no_main]

use congvu_sieve::{Limits, Mail, Script, read_rules, write_rules};
use congvu_types::Timestamp;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut halves = bytes.splitn(2, |b| *b == 0);
    let (script, raw) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let Ok(text) = std::str::from_utf8(script) else { return };
    match Script::parse(text) {
        Err(faults) => assert!(!faults.is_empty() && faults.iter().all(|f| f.line > 0 && f.column > 0)),
        Ok(script) => {
            let limits = Limits { steps: 100_000, ..Limits::default() };
            let found = script.run(&Mail::new(raw, Timestamp::from_seconds(0)), &limits);
            assert!(found.actions.len() <= limits.actions + 1);
        }
    }
    if let Some(rules) = read_rules(text) {
        // Not every script in our words is one that the form allows: labels and addresses are checked there.
        if let Ok(again) = write_rules(&rules, &|_| true) {
            assert_eq!(again, text);
        }
    }
});
