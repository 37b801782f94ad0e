//! The words of Office Open XML and OpenDocument files. XML is read as a stream of events; entities of a document's own are
//! not expanded, so none can be a bomb.

use super::{Sink, Work, zip::Archive};
use crate::charset::{Hint, reread};
use quick_xml::{Reader, events::Event};

/// No more sheets or slides are read.
const MOST_PARTS: usize = 500;
/// No more strings of a workbook are known.
const MOST_STRINGS: usize = 500_000;

/// What is met in XML: a tag by its local name, or text.
enum Met<'a> {
    Open(&'a str, &'a str),
    Close(&'a str),
    Text(&'a str),
}

/// Reads the text of what this archive is, if it is a document.
pub(super) fn read(bytes: &[u8], work: &mut Work, sink: &mut Sink) {
    let Some(archive) = Archive::open(bytes) else { return };
    let has = |name: &str| archive.names().any(|n| n == name);
    let room = sink.room;
    let mut own = Sink::new(room);
    let mut hint = None;
    if has("word/document.xml") {
        let extra = ["word/header", "word/footer", "word/footnotes", "word/endnotes", "word/comments"];
        let extra = extra.iter().flat_map(|start| parts(&archive, start));
        for part in ["word/document.xml".to_owned()].into_iter().chain(extra) {
            if let Some(xml) = archive.read(&part, work) {
                hint = hint.or_else(|| Hint::of_markup(xml.as_bytes()));
                runs(&xml, work, &mut own);
            }
        }
    } else if has("xl/workbook.xml") {
        if let Some(styles) = archive.read("xl/styles.xml", work) {
            hint = Hint::of_markup(styles.as_bytes());
        }
        workbook(&archive, work, &mut own);
    } else if has("ppt/presentation.xml") {
        for start in ["ppt/slides/slide", "ppt/notesSlides/notesSlide"] {
            for part in parts(&archive, start) {
                if let Some(xml) = archive.read(&part, work) {
                    hint = hint.or_else(|| Hint::of_markup(xml.as_bytes()));
                    runs(&xml, work, &mut own);
                }
            }
        }
    } else if let Some(xml) = archive.read("content.xml", work) {
        hint = Hint::of_markup(xml.as_bytes());
        open_document(&xml, work, &mut own);
    }
    sink.push(&reread(&own.text, hint));
}

/// The parts whose names begin so, by their numbers.
fn parts(archive: &Archive<'_>, start: &str) -> Vec<String> {
    let number = |name: &str| {
        let digits: String = name.chars().filter(char::is_ascii_digit).take(6).collect();
        digits.parse::<u32>().unwrap_or(0)
    };
    let is_part = |name: &&str| name.starts_with(start) && name.ends_with(".xml");
    let mut found: Vec<String> = archive.names().filter(is_part).map(str::to_owned).collect();
    found.sort_by_key(|name| (number(name), name.clone()));
    found.truncate(MOST_PARTS);
    found
}

/// Goes through XML until its end, its first fault, the end of the budget, or until `visit` says no.
fn walk(xml: &str, work: &mut Work, mut visit: impl FnMut(Met<'_>) -> bool) {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    while work.step(10).is_some() {
        let Ok(event) = reader.read_event() else { return };
        let goes_on = match &event {
            Event::Start(tag) => visit(Met::Open(tag.local_name().into_inner(), tag.attributes_raw())),
            Event::End(tag) => visit(Met::Close(tag.local_name().into_inner())),
            Event::Text(text) => visit(Met::Text(text)),
            Event::CData(text) => visit(Met::Text(text)),
            Event::GeneralRef(name) => {
                let mut buffer = [0; 4];
                visit(Met::Text(entity(name).map_or("", |c| c.encode_utf8(&mut buffer))))
            }
            Event::Eof => return,
            _ => true,
        };
        if !goes_on {
            return;
        }
    }
}

/// The five entities of XML and references to characters.
fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        other => {
            let code = other.strip_prefix('#')?;
            let code = match code.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    })
}

/// The value of an attribute that is a plain word.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (before, after) = rest.split_once(name)?;
        if before.ends_with(|c: char| c.is_ascii_whitespace())
            && let Some(value) = after.trim_start().strip_prefix('=')
        {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            return value.get(1..)?.split(quote).next();
        }
        rest = after;
    }
}

/// Text in runs (`w:t`, `a:t`), paragraphs as lines.
fn runs(xml: &str, work: &mut Work, sink: &mut Sink) {
    let mut in_text = false;
    walk(xml, work, |met| {
        match met {
            Met::Open("t", _) => in_text = true,
            Met::Close("t") => in_text = false,
            Met::Open("tab", _) => sink.separate("\t"),
            Met::Open("br" | "cr", _) | Met::Close("p") => sink.separate("\n"),
            Met::Text(text) if in_text => sink.push(text),
            _ => {}
        }
        !sink.is_full()
    });
    sink.separate("\n");
}

/// The strings that the cells of a workbook share, end to end.
#[derive(Default)]
struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    fn read(xml: &str, work: &mut Work) -> Self {
        let mut found = Self::default();
        let (mut in_text, mut in_reading) = (false, false);
        walk(xml, work, |met| {
            match met {
                Met::Open("t", _) => in_text = true,
                Met::Close("t") => in_text = false,
                // how East Asian text is read aloud
                Met::Open("rPh", _) => in_reading = true,
                Met::Close("rPh") => in_reading = false,
                Met::Close("si") => found.ends.push(found.text.len()),
                Met::Text(text) if in_text && !in_reading => found.text.push_str(text),
                _ => {}
            }
            found.ends.len() < MOST_STRINGS
        });
        found
    }

    fn get(&self, number: usize) -> Option<&str> {
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..*self.ends.get(number)?)
    }
}

/// Rows as lines, cells apart by tabs.
fn workbook(archive: &Archive<'_>, work: &mut Work, sink: &mut Sink) {
    let strings = archive.read("xl/sharedStrings.xml", work).map(|xml| Strings::read(&xml, work));
    let strings = strings.unwrap_or_default();
    for part in parts(archive, "xl/worksheets/sheet") {
        if sink.is_full() {
            return;
        }
        let Some(xml) = archive.read(&part, work) else { continue };
        sheet(&xml, &strings, work, sink);
    }
}

fn sheet(xml: &str, strings: &Strings, work: &mut Work, sink: &mut Sink) {
    let (mut is_shared, mut in_value) = (false, false);
    let mut value = String::new();
    walk(xml, work, |met| {
        match met {
            Met::Open("c", attributes) => {
                is_shared = attribute(attributes, "t") == Some("s");
                value.clear();
            }
            Met::Open("v" | "t", _) => in_value = true,
            Met::Close("v" | "t") => in_value = false,
            Met::Text(text) if in_value => value.push_str(text),
            Met::Close("c") => {
                let shared = is_shared.then(|| value.trim().parse().ok().and_then(|n| strings.get(n)));
                sink.push(shared.map_or(value.as_str(), Option::unwrap_or_default));
                sink.separate("\t");
                value.clear();
            }
            Met::Close("row") => sink.separate("\n"),
            _ => {}
        }
        !sink.is_full()
    });
    sink.separate("\n");
}

/// Paragraphs and headings as lines.
fn open_document(xml: &str, work: &mut Work, sink: &mut Sink) {
    let mut open = 0_usize;
    walk(xml, work, |met| {
        match met {
            Met::Open("p" | "h", _) => open = open.saturating_add(1),
            Met::Close("p" | "h") => {
                open = open.saturating_sub(1);
                sink.separate("\n");
            }
            Met::Open("s", _) => sink.push(" "),
            Met::Open("tab", _) | Met::Close("table-cell") => sink.separate("\t"),
            Met::Open("line-break", _) => sink.separate("\n"),
            Met::Text(text) if open > 0 => sink.push(text),
            _ => {}
        }
        !sink.is_full()
    });
}
