//! The parts of a message as clients see them (RFC 8621 §4.1.4).

use super::{header, wanted::Wanted};
use crate::blob_id::BlobId;
use congvu_message::{Part, decode_part, file_name, part_text};
use serde_json::{Map, Value};
use std::{collections::HashSet, ops::Range};

/// Bytes of all values of one message that are given: what is longer is marked as truncated.
const MOST_VALUE_BYTES: usize = 8 * 1024 * 1024;

/// A message's parts in order, each leaf with its number.
pub(crate) struct Structure<'p> {
    root: &'p Part,
    leaves: Vec<&'p Part>,
}

/// The three lists of parts, by the numbers of leaves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) text: Vec<usize>,
    pub(crate) html: Vec<usize>,
    pub(crate) attachments: Vec<usize>,
}

/// Values of text parts, and which places of the message they show whole.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) by_part: Map<String, Value>,
    pub(crate) shown: Vec<Range<u32>>,
}

fn is_inline_media(part: &Part) -> bool {
    matches!(part.media_type.as_str(), "image" | "audio" | "video")
}

fn is_text(part: &Part, subtype: &str) -> bool {
    part.media_type == "text" && part.subtype == subtype
}

impl<'p> Structure<'p> {
    pub(crate) fn of(root: &'p Part) -> Self {
        let mut leaves = Vec::new();
        collect(root, &mut leaves);
        Self { root, leaves }
    }

    fn number(&self, part: &Part) -> Option<usize> {
        self.leaves.iter().position(|leaf| std::ptr::eq(*leaf, part))
    }

    /// The id of a part; `None` when it is a multipart.
    pub(crate) fn part_id(&self, part: &Part) -> Option<String> {
        self.number(part).map(|number| (number + 1).to_string())
    }

    fn leaf(&self, number: usize) -> Option<&'p Part> {
        self.leaves.get(number).copied()
    }

    /// Returns which parts are shown as text, as HTML, and as attachments: the algorithm of RFC 8621 §4.1.4.
    pub(crate) fn lists(&self) -> Lists {
        let mut sorter = Sorter { lists: Lists::default(), next: 0 };
        sorter.sort(std::slice::from_ref(self.root), "mixed", false, (true, true));
        sorter.lists
    }

    /// Returns the structure as a tree.
    pub(crate) fn tree(&self, raw: &[u8], id: &BlobId, wanted: &Wanted) -> Value {
        self.node(self.root, raw, id, wanted)
    }

    fn node(&self, part: &Part, raw: &[u8], id: &BlobId, wanted: &Wanted) -> Value {
        let mut shown = self.shown(part, raw, id, wanted);
        if part.is_multipart() {
            let children = part.children.iter().map(|child| self.node(child, raw, id, wanted)).collect();
            shown.insert("subParts".to_owned(), children);
        }
        Value::Object(shown)
    }

    /// Returns parts by their numbers.
    pub(crate) fn list(&self, numbers: &[usize], raw: &[u8], id: &BlobId, wanted: &Wanted) -> Value {
        let parts = numbers.iter().filter_map(|number| self.leaf(*number));
        parts.map(|part| Value::Object(self.shown(part, raw, id, wanted))).collect()
    }

    fn shown(&self, part: &Part, raw: &[u8], id: &BlobId, wanted: &Wanted) -> Map<String, Value> {
        let number = self.number(part);
        let header = raw.get(part.header.start as usize..part.header.end as usize).unwrap_or_default();
        let mut shown = Map::new();
        for name in &wanted.body_properties {
            let value = match name.as_str() {
                "partId" => number.map(|n| (n + 1).to_string()).into(),
                "blobId" => number.and_then(|_| id.part(part)).map(|id| id.text()).into(),
                "size" => match number {
                    Some(_) => decode_part(raw, part).len().into(),
                    None => 0.into(),
                },
                "name" => file_name(part).into(),
                "type" => format!("{}/{}", part.media_type, part.subtype).into(),
                "charset" => charset(part).into(),
                "disposition" => part.disposition.as_ref().map(|(kind, _)| kind.clone()).into(),
                "cid" => part.id.as_deref().map(|id| id.trim().trim_matches(['<', '>'])).into(),
                "language" => language(part),
                "location" => part.location.clone().into(),
                "headers" => header::all(header),
                "subParts" => continue,
                other => match header::Asked::read(other) {
                    Some(asked) => asked.value(header),
                    None => continue,
                },
            };
            shown.insert(name.clone(), value);
        }
        shown
    }

    /// Returns the values of the text parts that are asked for.
    pub(crate) fn values(&self, raw: &[u8], lists: &Lists, wanted: &Wanted) -> Values {
        let mut numbers: Vec<usize> = Vec::new();
        if wanted.fetch_all {
            numbers.extend(0..self.leaves.len());
        }
        if wanted.fetch_text {
            numbers.extend(&lists.text);
        }
        if wanted.fetch_html {
            numbers.extend(&lists.html);
        }
        let mut seen = HashSet::new();
        let mut room = MOST_VALUE_BYTES;
        let mut values = Values::default();
        for number in numbers {
            let Some(part) = self.leaf(number).filter(|p| p.media_type == "text") else { continue };
            if !seen.insert(number) {
                continue;
            }
            let read = part_text(raw, part);
            let text = read.text.replace("\r\n", "\n");
            let most = if wanted.max_value_bytes == 0 { room } else { wanted.max_value_bytes.min(room) };
            let cut = cut(&text, most, part.subtype == "html");
            room -= cut.len();
            let is_truncated = cut.len() < text.len();
            if !is_truncated {
                values.shown.push(part.body.clone());
            }
            let value = serde_json::json!({
                "value": cut, "isEncodingProblem": read.is_problem, "isTruncated": is_truncated,
            });
            values.by_part.insert((number + 1).to_string(), value);
        }
        values
    }
}

/// RFC 8621 §4.1.4 `charset`: that of the type, or the one implied; `null` when it is no text.
fn charset(part: &Part) -> Option<String> {
    let is_text = part.media_type == "text";
    is_text.then(|| part.param("charset").unwrap_or("us-ascii").to_owned())
}

fn language(part: &Part) -> Value {
    let Some(tags) = &part.language else { return Value::Null };
    tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).take(20).collect()
}

/// At most so many bytes of a text, not within a character nor, in HTML, within a tag (RFC 8621 §4.2 `maxBodyValueBytes`).
fn cut(text: &str, most: usize, is_html: bool) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let kept = text.get(..end).unwrap_or_default();
    match (is_html, kept.rfind('<')) {
        (true, Some(open)) if !kept.get(open..).unwrap_or_default().contains('>') => {
            kept.get(..open).unwrap_or_default()
        }
        _ => kept,
    }
}

fn collect<'p>(part: &'p Part, leaves: &mut Vec<&'p Part>) {
    if part.is_multipart() {
        part.children.iter().for_each(|child| collect(child, leaves));
    } else {
        leaves.push(part);
    }
}

/// The algorithm under way: leaves are met in their order.
struct Sorter {
    lists: Lists,
    next: usize,
}

impl Sorter {
    /// `wants` says whether parts still go to the text and to the HTML.
    fn sort(&mut self, parts: &[Part], kind: &str, in_alternative: bool, wants: (bool, bool)) {
        let (mut to_text, mut to_html) = wants;
        let (text_before, html_before) = (self.lists.text.len(), self.lists.html.len());
        for (at, part) in parts.iter().enumerate() {
            if part.is_multipart() {
                let within = in_alternative || part.subtype == "alternative";
                self.sort(&part.children, &part.subtype, within, (to_text, to_html));
                continue;
            }
            let number = self.next;
            self.next += 1;
            if !is_body(part, at, kind) {
                self.lists.attachments.push(number);
                continue;
            }
            if kind == "alternative" {
                match () {
                    () if is_text(part, "plain") && to_text => self.lists.text.push(number),
                    () if is_text(part, "html") && to_html => self.lists.html.push(number),
                    () => self.lists.attachments.push(number),
                }
                continue;
            }
            if in_alternative {
                to_html &= !is_text(part, "plain");
                to_text &= !is_text(part, "html");
            }
            if to_text {
                self.lists.text.push(number);
            }
            if to_html {
                self.lists.html.push(number);
            }
            if !(to_text && to_html) && is_inline_media(part) {
                self.lists.attachments.push(number);
            }
        }
        if kind == "alternative" && to_text && to_html {
            self.share(text_before, html_before);
        }
    }

    /// Where only one form was found, it is the other one too.
    fn share(&mut self, text_before: usize, html_before: usize) {
        let lists = &mut self.lists;
        let has_text = lists.text.len() > text_before;
        let has_html = lists.html.len() > html_before;
        if !has_text && has_html {
            lists.text.extend(lists.html.iter().skip(html_before));
        } else if has_text && !has_html {
            lists.html.extend(lists.text.iter().skip(text_before));
        }
    }
}

/// Whether a part is read where it stands, and not an attachment.
fn is_body(part: &Part, at: usize, kind: &str) -> bool {
    let is_attached = part.disposition.as_ref().is_some_and(|(kind, _)| kind == "attachment");
    let is_shown = is_text(part, "plain") || is_text(part, "html") || is_inline_media(part);
    let is_in_place = at == 0 || (kind != "related" && (is_inline_media(part) || file_name(part).is_none()));
    !is_attached && is_shown && is_in_place
}

#[cfg(test)]
mod tests {
    use super::*;
    use congvu_message::parse_structure;

    fn leaf(kind: &str, more: &str) -> String {
        format!("Content-Type: {kind}\r\n{more}\r\nx")
    }

    fn multi(kind: &str, boundary: &str, parts: &[String]) -> String {
        let parts: String = parts.iter().map(|p| format!("--{boundary}\r\n{p}\r\n")).collect();
        format!("Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n{parts}--{boundary}--\r\n")
    }

    /// The example of RFC 8621 §4.1.4: A to K.
    #[test]
    fn parts_go_where_the_example_of_the_rfc_says() {
        let attachment = "Content-Disposition: attachment\r\n";
        let inline = "Content-Disposition: inline\r\n";
        let message = multi(
            "mixed",
            "m1",
            &[
                leaf("text/plain", inline), // A
                multi(
                    "mixed",
                    "m2",
                    &[
                        multi(
                            "alternative",
                            "a1",
                            &[
                                multi(
                                    "mixed",
                                    "m3",
                                    &[
                                        leaf("text/plain", inline), // B
                                        leaf("image/jpeg", inline), // C
                                        leaf("text/plain", inline), // D
                                    ],
                                ),
                                multi(
                                    "related",
                                    "r1",
                                    &[
                                        leaf("text/html", ""),  // E
                                        leaf("image/jpeg", ""), // F
                                    ],
                                ),
                            ],
                        ),
                        leaf("image/jpeg", attachment),                // G
                        leaf("application/x-excel", ""),               // H
                        leaf("message/rfc822", "\r\nSubject: in\r\n"), // J
                    ],
                ),
                leaf("text/plain", inline), // K
            ],
        );
        let root = parse_structure(message.as_bytes());
        let lists = Structure::of(&root).lists();
        let letters = |numbers: &[usize]| -> String {
            numbers.iter().filter_map(|n| "ABCDEFGHJK".chars().nth(*n)).collect()
        };
        assert_eq!(letters(&lists.text), "ABCDK");
        assert_eq!(letters(&lists.html), "AEK");
        assert_eq!(letters(&lists.attachments), "CFGHJ");
    }

    #[test]
    fn one_form_alone_is_both() {
        let html = multi("alternative", "b", &[leaf("text/html", "")]);
        let root = parse_structure(html.as_bytes());
        let lists = Structure::of(&root).lists();
        assert_eq!((lists.text, lists.html), (vec![0], vec![0]));
    }

    #[test]
    fn a_text_is_cut_between_characters_and_tags() {
        assert_eq!(cut("đường", 3, false), "đ");
        assert_eq!(cut("<p>a</p><b>c</b>", 10, true), "<p>a</p>");
        assert_eq!(cut("abc", 3, true), "abc");
    }
}
