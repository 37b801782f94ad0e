//! A message as it comes in: its summary reads back, its parts lie within it, its HTML is safe.
#![no_main]

use congvu_message::{
    InlineImages, Part, decode_part, decode_summary, html_body, parse_structure, safe_html, summarize,
    text_body,
};

fn within(part: &Part, raw: &[u8]) {
    assert!(part.body.start <= part.body.end && part.body.end as usize <= raw.len());
    let _ = decode_part(raw, part);
    for child in &part.children {
        within(child, raw);
    }
}

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let summary = summarize(raw);
    assert!(summary.preview.chars().count() <= 256 && !summary.preview.contains(char::is_control));
    let root = parse_structure(raw);
    let (_, read) = decode_summary(&summary.encoded).expect("what was written is read");
    assert_eq!(read, root);
    within(&root, raw);
    let _ = text_body(raw, &root);
    if let Some(html) = html_body(raw, &root) {
        let images = InlineImages::of(raw, &root);
        let safe = safe_html(&html, &images).html.to_ascii_lowercase();
        for tag in safe.split('<').skip(1) {
            // Names and values in turn; within a tag both `<` and `>` are written as entities.
            let tag = tag.split('>').next().unwrap_or_default();
            let (names, values): (Vec<_>, Vec<_>) = tag.split('"').enumerate().partition(|(n, _)| n % 2 == 0);
            assert!(
                !tag.starts_with("script") && names.iter().all(|(_, name)| !name.contains(" on")),
                "<{tag}>"
            );
            assert!(
                values.iter().all(|(_, value)| !value.trim_start().starts_with("javascript:")),
                "<{tag}>"
            );
        }
        assert!(!safe_html(&safe, &images).has_remote_content, "{safe}");
    }
});
