//! Odd and broken messages: what is said of them holds together.

use crate::vectors;
use congvu_message::{
    InlineImages, Part, SectionSpec, attachments, decode_part, decode_summary, find_part, html_body,
    parse_structure, safe_html, section, summarize, text_body,
};
use std::{fs, path::Path};

fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "eml" || path.to_string_lossy().contains("msg_")) {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

/// Parts lie within the part around them; each is found by its number (RFC 9051 §6.4.5.1).
fn check(name: &str, raw: &[u8], root: &Part, part: &Part, path: &[u32]) {
    assert!(part.body.start <= part.body.end && part.body.end as usize <= raw.len(), "{name} {path:?}");
    let _ = decode_part(raw, part);
    if !path.is_empty() {
        let spec = SectionSpec { path: path.to_vec(), text: None };
        let bytes = &raw[part.body.start as usize..part.body.end as usize];
        assert_eq!(section(raw, root, &spec).as_deref(), Some(bytes), "{name} {path:?}");
        assert_eq!(find_part(root, path), Some(part), "{name} {path:?}");
    }
    // A message within numbers its parts as if they were this part's own; what has no parts is its own first part.
    let within = part.children.first().filter(|_| part.is_message() && !path.is_empty());
    let children: Vec<&Part> = match within.unwrap_or(part) {
        numbered if numbered.is_multipart() => numbered.children.iter().collect(),
        numbered if within.is_some() || path.is_empty() => vec![numbered],
        _ => Vec::new(),
    };
    for (number, child) in (1..).zip(children) {
        assert!(
            child.body.start >= part.body.start && child.body.end <= part.body.end,
            "{name} {path:?}.{number}"
        );
        check(name, raw, root, child, &[path, &[number]].concat());
    }
}

#[test]
fn what_is_said_of_odd_messages_holds_together() {
    let mut found = Vec::new();
    files(&vectors("mime-cpython"), &mut found);
    files(&vectors("mime-mail-parser"), &mut found);
    assert!(found.len() >= 150, "{}", found.len());
    for (name, raw) in &found {
        let summary = summarize(raw);
        let root = parse_structure(raw);
        let (_, read) = decode_summary(&summary.encoded).unwrap();
        assert_eq!(read, root, "{name}");
        assert!(summary.preview.chars().count() <= 256, "{name}: {}", summary.preview);
        assert!(!summary.preview.contains(char::is_control), "{name}: {:?}", summary.preview);
        check(name, raw, &root, &root, &[]);
        let _ = (text_body(raw, &root), attachments(raw, &root));
        if let Some(html) = html_body(raw, &root) {
            crate::hostile::harmless(name, &safe_html(&html, &InlineImages::of(raw, &root)).html);
        }
    }
}
