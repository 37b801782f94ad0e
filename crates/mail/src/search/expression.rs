//! What is looked for in the text of messages: JMAP's filters (RFC 8621 §4.4.1), IMAP's keys and the language of the search box
//! all become this.

use super::{
    exact::accented,
    words::{is_letter, words},
};
use congvu_storage::{Document, Fields, Query};

/// No more words, phrases and signs than this: a search is typed by people.
pub const MOST_PARTS: usize = 100;
/// A phrase is looked for by no more of its words.
const LONGEST_PHRASE: usize = 50;
/// No deeper than this.
pub const DEEPEST: usize = 16;

/// What the text of a message must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Anything.
    All,
    /// Words that follow each other.
    Phrase(Phrase),
    /// An attachment.
    HasAttachment,
    /// More words than are kept of a message: whatever it is, it may stand there.
    IsCut,
    /// All of these.
    And(Vec<Self>),
    /// One of these.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
}

/// Words that follow each other in one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    fields: Fields,
    words: Vec<String>,
    is_prefix: bool,
    /// Keys of those words that have accents.
    accented: Vec<u64>,
}

impl Phrase {
    /// Returns the words of a text as a phrase; `None` when there is no word in it. With `is_prefix` the last may be the
    /// beginning of a longer word.
    #[must_use]
    pub fn new(fields: Fields, text: &str, is_prefix: bool) -> Option<Self> {
        let mut words = words(text);
        words.truncate(LONGEST_PHRASE);
        (!words.is_empty()).then(|| Self { fields, words, is_prefix, accented: accented(text) })
    }

    /// Returns what every text holds that this text is somewhere in (RFC 9051 §6.4.4): its first word may be the end of a longer one
    /// there, so it says nothing, and its last the beginning. `None` when nothing is left that tells texts apart.
    #[must_use]
    pub fn within(fields: Fields, text: &str) -> Option<Self> {
        let whole = Self::new(fields, text, text.ends_with(is_letter))?;
        let words = whole.words.get(usize::from(text.starts_with(is_letter))..).unwrap_or_default();
        let tells = words.iter().map(String::len).sum::<usize>() >= 3;
        tells.then(|| Self { words: words.to_vec(), accented: Vec::new(), ..whole })
    }

    /// Returns the words of a text of which the last may go on, unless there is a sign behind it.
    #[must_use]
    pub fn begun(fields: Fields, text: &str) -> Option<Self> {
        Self::new(fields, text, text.ends_with(is_letter))
    }

    /// Returns the words as they are compared.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Returns the fields.
    #[must_use]
    pub const fn fields(&self) -> Fields {
        self.fields
    }

    /// Returns whether the last word may go on.
    #[must_use]
    pub const fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    fn fits(&self, document: &Document) -> bool {
        let wanted = self.words.join(" ");
        self.fields.places().filter_map(|place| document.fields.get(place)).any(|field| {
            field.match_indices(wanted.as_str()).any(|(at, found)| {
                let behind = field.get(at + found.len()..).unwrap_or_default();
                let starts = at == 0 || field.get(..at).is_some_and(|before| before.ends_with(' '));
                starts && (self.is_prefix || behind.is_empty() || behind.starts_with(' '))
            })
        })
    }
}

impl Expression {
    /// Reads what is asked for in one text (RFC 8621 §4.4.1): words, and phrases between quotes, all of which must be there.
    /// A word with signs in it, such as `12/BC-BQL`, is a phrase of its parts.
    #[must_use]
    pub fn text(fields: Fields, text: &str) -> Self {
        let mut parts = Vec::new();
        for (at, piece) in text.split(['"', '“', '”']).enumerate() {
            match at % 2 {
                1 => parts.extend(Phrase::new(fields, piece, false)),
                _ => parts.extend(piece.split_whitespace().filter_map(|w| Phrase::new(fields, w, false))),
            }
        }
        Self::all(parts.into_iter().map(Self::Phrase).collect())
    }

    /// Returns what fits all of these.
    #[must_use]
    pub fn all(mut parts: Vec<Self>) -> Self {
        parts.retain(|part| *part != Self::All);
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::All,
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Self::And(parts)
            }
        }
    }

    /// Returns whether it is small enough to be looked for.
    #[must_use]
    pub fn is_within_limits(&self) -> bool {
        self.measure(0).is_some_and(|parts| parts <= MOST_PARTS)
    }

    fn measure(&self, depth: usize) -> Option<usize> {
        if depth > DEEPEST {
            return None;
        }
        match self {
            Self::All | Self::HasAttachment | Self::IsCut => Some(1),
            Self::Phrase(phrase) => Some(phrase.words.len()),
            Self::Not(inner) => inner.measure(depth + 1),
            Self::And(some) | Self::Or(some) => {
                some.iter().try_fold(1, |sum, part| Some(sum + part.measure(depth + 1)?))
            }
        }
    }

    /// Returns whether a document fits.
    #[must_use]
    pub fn fits(&self, document: &Document) -> bool {
        match self {
            Self::All => true,
            Self::Phrase(phrase) => phrase.fits(document),
            Self::HasAttachment => document.has_attachment,
            Self::IsCut => document.is_cut,
            Self::And(all) => all.iter().all(|part| part.fits(document)),
            Self::Or(some) => some.iter().any(|part| part.fits(document)),
            Self::Not(inner) => !inner.fits(document),
        }
    }

    /// Writes it for the index.
    #[must_use]
    pub(super) fn query(&self) -> Query {
        let each = |parts: &[Self]| parts.iter().map(Self::query).collect();
        match self {
            Self::All => Query::All,
            Self::Phrase(phrase) => Query::Words {
                fields: phrase.fields,
                words: phrase.words.clone(),
                is_prefix: phrase.is_prefix,
            },
            Self::HasAttachment => Query::HasAttachment,
            Self::IsCut => Query::IsCut,
            Self::And(all) => Query::And(each(all)),
            Self::Or(some) => Query::Or(each(some)),
            Self::Not(inner) => Query::Not(Box::new(inner.query())),
        }
    }

    /// Keys of the accented words that are wanted.
    pub(super) fn accented(&self) -> Vec<u64> {
        self.phrases().into_iter().flat_map(|phrase| phrase.accented.iter().copied()).collect()
    }

    /// Returns the phrases that are wanted, not those that are not.
    #[must_use]
    pub fn phrases(&self) -> Vec<&Phrase> {
        match self {
            Self::Phrase(phrase) => vec![phrase],
            Self::And(some) | Self::Or(some) => some.iter().flat_map(Self::phrases).collect(),
            Self::All | Self::HasAttachment | Self::IsCut | Self::Not(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(subject: &str, body: &str) -> Document {
        let mut document = Document::default();
        super::super::words::append(&mut document.fields[0], subject, 1000);
        super::super::words::append(&mut document.fields[5], body, 1000);
        document
    }

    #[test]
    fn words_and_phrases_are_found_in_their_fields() {
        let document = document("Báo cáo tuần", "Kính gửi Ban Quản lý, số 12/BC-BQL");
        let fits = |fields, text: &str| Expression::text(fields, text).fits(&document);
        assert!(fits(Fields::ALL, "bao cao \"quan ly\" 12/bc-bql"));
        assert!(!fits(Fields::ALL, "\"ly quan\""));
        assert!(!fits(Fields::SUBJECT, "quản"));
        assert!(!fits(Fields::ALL, "tua"));
        assert!(fits(Fields::ALL, "…"));
        assert_eq!(Expression::text(Fields::ALL, " \"\" … "), Expression::All);
        let begun = Phrase::new(Fields::ALL, "Kính g", true).map(Expression::Phrase).unwrap();
        assert!(begun.fits(&document));
        assert!(!Expression::Not(Box::new(begun)).fits(&document));
    }

    #[test]
    fn what_a_text_is_within_holds_its_words() {
        let words = |text: &str| Phrase::within(Fields::ALL, text).map(|p| (p.words.join(" "), p.is_prefix));
        assert_eq!(words("hung@gov.exam"), Some(("gov exam".to_owned(), true)));
        assert_eq!(words("(hồ sơ) "), Some(("ho so".to_owned(), false)));
        assert_eq!(words("khoa"), None);
        assert_eq!(words("khoa h"), None);
    }

    proptest! {
        #[test]
        fn a_part_of_a_text_never_rules_it_out(text in "[ab đảHo\u{300}\u{ad}.,-]{0,40}", from in 0..40_usize, to in 0..40_usize) {
            let folded = congvu_types::fold(&text);
            let part: String = folded.chars().skip(from).take(to).collect();
            if let Some(phrase) = Phrase::within(Fields::ALL, &part) {
                prop_assert!(Expression::Phrase(phrase).fits(&document(&text, "")), "{:?} in {:?}", part, folded);
            }
        }
    }

    #[test]
    fn a_search_without_end_is_not_looked_for() {
        let long = Expression::text(Fields::ALL, &"một ".repeat(MOST_PARTS + 1));
        assert!(!long.is_within_limits());
        let deep = (0..=DEEPEST).fold(Expression::HasAttachment, |e, _| Expression::Not(Box::new(e)));
        assert!(!deep.is_within_limits());
        assert!(Expression::text(Fields::ALL, "một hai").is_within_limits());
    }
}
