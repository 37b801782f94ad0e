//! HTML that means harm.

use crate::vectors;
use congvu_message::{InlineImages, safe_html};
use std::fs;

/// What loads something or runs something, in names of elements and attributes.
const FORBIDDEN: &[&str] = &[
    "script", "iframe", "object", "embed", "form", "input", "button", "textarea", "select", "link", "meta",
    "base", "style", "svg", "math", "template", "noscript", "frame", "frameset", "applet", "audio", "video",
    "source", "track", "portal", "dialog", "marquee",
];

/// Fails unless every tag of the markup is one that a reader may see.
pub(crate) fn harmless(name: &str, safe: &str) {
    let lower = safe.to_ascii_lowercase();
    for tag in lower.split('<').skip(1) {
        // The serializer writes `<` and `>` within text and attributes as entities: this is a whole tag.
        let tag = tag.split('>').next().unwrap_or_default();
        let element = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(!FORBIDDEN.contains(&element), "{name}: <{tag}>");
        let mut attribute = "";
        for (place, piece) in tag.split('"').enumerate() {
            if place % 2 == 0 {
                attribute = piece.trim().trim_end_matches('=').rsplit(' ').next().unwrap_or_default();
                let bad = attribute.starts_with("on")
                    || [
                        "id",
                        "name",
                        "background",
                        "srcdoc",
                        "srcset",
                        "action",
                        "formaction",
                        "ping",
                        "usemap",
                    ]
                    .contains(&attribute);
                assert!(!bad, "{name}: {attribute} in <{tag}>");
            } else if !["alt", "title"].contains(&attribute) {
                let value: String = piece.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
                let bad = ["javascript:", "vbscript:", "data:text", "data:application"];
                assert!(!bad.iter().any(|b| value.starts_with(b)), "{name}: {value}");
                assert!(!value.contains("url(") && !value.contains("expression("), "{name}: {value}");
            }
        }
        let loads = element == "img" && (tag.contains("src=\"http") || tag.contains("src=\"//"));
        assert!(!loads, "{name}: <{tag}>");
    }
}

#[test]
fn nothing_of_hostile_markup_is_left() {
    let own = fs::read_to_string(vectors("hostile-html/payloads.txt")).unwrap();
    let own = own.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned);
    let theirs: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(vectors("hostile-html/dompurify-expect.json")).unwrap())
            .unwrap();
    let theirs = theirs.as_array().unwrap().iter().map(|case| case["payload"].as_str().unwrap().to_owned());
    let all: Vec<String> = own.chain(theirs).collect();
    assert!(all.len() > 250, "{}", all.len());
    let none = InlineImages::default();
    for payload in &all {
        let safe = safe_html(payload, &none);
        harmless(payload, &safe.html);
        // What was made safe stays what it is, read once more: no markup changes its meaning when parsed again.
        harmless(payload, &safe_html(&safe.html, &none).html);
    }
}
