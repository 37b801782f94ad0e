//! An attachment of any kind: its text is bounded, whatever it is.
#![no_main]

use congvu_message::{TextLimits, attachment_texts, parse_structure};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    // The first byte chooses the name, for what is known by its name alone.
    let Some((first, content)) = content.split_first() else { return };
    let name = ["a", "a.txt", "a.html", "a.eml"][usize::from(first % 4)];
    let header = format!(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename={name}\r\n\r\n"
    );
    let raw = [header.as_bytes(), content].concat();
    let limits = TextLimits { steps: 200_000, attachment_bytes: 10_000, ..TextLimits::default() };
    for found in attachment_texts(&raw, &parse_structure(&raw), &limits) {
        // Composing may make a character longer, three times at most.
        assert!(found.text.len() <= 30_000);
    }
});
