//! What is typed into the search box, what the index keeps of a message, and what is shown of it. Up to the first NUL it is a
//! question, behind it a message.
#![no_main]

use congvu_mail::search::{document, expression, parse, snippet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (typed, raw) = data.split_at(end);
    let wanted = expression(&parse(&String::from_utf8_lossy(typed)));
    assert!(wanted.is_within_limits());
    let document = document(raw);
    assert!(document.fields.iter().all(|field| field.len() <= 256 << 10));
    wanted.fits(&document);
    let found = snippet(raw, &wanted);
    for marked in found.subject.iter().chain(&found.preview) {
        assert!(marked.marks.iter().all(|mark| marked.text.get(mark.clone()).is_some()));
    }
});
