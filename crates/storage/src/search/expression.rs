//! A query in the words of each engine. What comes in is words without quotes or signs: nothing in them is syntax.

use super::{Document, Fields, Query};

/// A word that every document has; no word of a text holds an underscore.
pub(super) const EVERY: &str = "_all";
/// A word of every document with an attachment.
const ATTACHED: &str = "_att";
/// A word of every document that was cut.
const CUT: &str = "_cut";
/// The columns of FTS5, in the order of the fields.
pub(super) const COLUMNS: [&str; Fields::COUNT] =
    ["subject", "author", "addressee", "copied", "blind", "body", "attached"];

/// The words that a document has besides its text.
pub(super) fn marks(document: &Document) -> impl Iterator<Item = &'static str> {
    let marks = [(true, EVERY), (document.has_attachment, ATTACHED), (document.is_cut, CUT)];
    marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark)
}

/// Writes a query for FTS5, which knows no NOT without something before it.
pub(super) fn fts(query: &Query) -> String {
    match query {
        Query::All => EVERY.to_owned(),
        Query::HasAttachment => ATTACHED.to_owned(),
        Query::IsCut => CUT.to_owned(),
        Query::Words { words, .. } if words.is_empty() => EVERY.to_owned(),
        Query::Words { fields, words, is_prefix } => {
            let star = if *is_prefix { " *" } else { "" };
            let phrase = format!("\"{}\"{star}", words.join(" "));
            if fields.holds(Fields::ALL) {
                return phrase;
            }
            let columns: Vec<&str> = fields.places().filter_map(|p| COLUMNS.get(p).copied()).collect();
            format!("{{{}}} : {phrase}", columns.join(" "))
        }
        Query::Not(inner) => format!("({EVERY} NOT ({}))", fts(inner)),
        Query::Or(some) => joined(some, " OR ", fts),
        Query::And(all) => fts_and(all),
    }
}

/// What must not be there stands behind what must: so the whole account is not walked.
fn fts_and(all: &[Query]) -> String {
    let (no, yes): (Vec<&Query>, Vec<&Query>) = all.iter().partition(|q| matches!(q, Query::Not(_)));
    let wanted = match yes.is_empty() {
        true => EVERY.to_owned(),
        false => yes.into_iter().map(fts).collect::<Vec<_>>().join(" AND "),
    };
    let unwanted: Vec<String> = no
        .into_iter()
        .filter_map(|q| if let Query::Not(inner) = q { Some(fts(inner)) } else { None })
        .collect();
    match unwanted.is_empty() {
        true => format!("({wanted})"),
        false => format!("(({wanted}) NOT ({}))", unwanted.join(" OR ")),
    }
}

fn joined(some: &[Query], sign: &str, write: fn(&Query) -> String) -> String {
    // Nothing of nothing: what every document has, and not.
    if some.is_empty() {
        return write(&Query::Not(Box::new(Query::All)));
    }
    format!("({})", some.iter().map(write).collect::<Vec<_>>().join(sign))
}

/// The four weights of a tsvector, by the place of a field: subject, people, text, attachments.
pub(super) const WEIGHTS: [char; Fields::COUNT] = ['A', 'B', 'B', 'B', 'B', 'C', 'D'];
/// What stands before a word of one kind of people, since one weight is for all of them.
pub(super) const PEOPLE: [(usize, &str); 4] = [(1, "_f"), (2, "_t"), (3, "_c"), (4, "_b")];
const EVERYBODY: Fields = Fields::FROM.with(Fields::TO).with(Fields::CC).with(Fields::BCC);
/// A word of documents so long that their positions are not all known: a phrase is looked for by its words there.
pub(super) const LONG: &str = "_long";

/// Writes a query as a tsquery.
pub(super) fn tsquery(query: &Query) -> String {
    match query {
        Query::All => quoted("", EVERY, ""),
        Query::HasAttachment => quoted("", ATTACHED, ""),
        Query::IsCut => quoted("", CUT, ""),
        Query::Words { words, .. } if words.is_empty() => quoted("", EVERY, ""),
        Query::Words { fields, words, is_prefix } => {
            let star = if *is_prefix { "*" } else { "" };
            if fields.holds(Fields::ALL) {
                return phrase("", words, star, "");
            }
            let (mut weights, mut parts) = (String::new(), Vec::new());
            for place in fields.places() {
                match PEOPLE.iter().find(|(of, _)| *of == place && !fields.holds(EVERYBODY)) {
                    Some((_, before)) => parts.push(phrase(before, words, star, "")),
                    None => weights.extend(WEIGHTS.get(place).filter(|w| !weights.contains(**w))),
                }
            }
            if !weights.is_empty() {
                parts.push(phrase("", words, star, &weights));
            }
            format!("({})", parts.join(" | "))
        }
        Query::Not(inner) => format!("!({})", tsquery(inner)),
        Query::Or(some) => joined(some, " | ", tsquery),
        Query::And(all) if all.is_empty() => quoted("", EVERY, ""),
        Query::And(all) => joined(all, " & ", tsquery),
    }
}

fn phrase(before: &str, words: &[String], star: &str, weights: &str) -> String {
    let last = words.len().saturating_sub(1);
    let word = |(at, word): (usize, &String)| {
        quoted(before, word, &if at == last { format!("{star}{weights}") } else { weights.to_owned() })
    };
    let each: Vec<String> = words.iter().enumerate().map(word).collect();
    match each.len() {
        1 => each.concat(),
        _ => format!("(({}) | ('{LONG}' & {}))", each.join(" <-> "), each.join(" & ")),
    }
}

fn quoted(before: &str, word: &str, mark: &str) -> String {
    let colon = if mark.is_empty() { "" } else { ":" };
    format!("'{before}{}'{colon}{mark}", word.replace(['\'', '\\'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(fields: Fields, text: &str, is_prefix: bool) -> Query {
        Query::Words { fields, words: text.split(' ').map(str::to_owned).collect(), is_prefix }
    }

    #[test]
    fn a_query_is_written_for_fts5() {
        let hoa = words(Fields::ALL, "khanh hoa", false);
        let from = words(Fields::FROM.with(Fields::BODY), "hung", true);
        assert_eq!(fts(&hoa), "\"khanh hoa\"");
        assert_eq!(fts(&from), "{author body} : \"hung\" *");
        let not = Query::Not(Box::new(hoa.clone()));
        assert_eq!(fts(&not), "(_all NOT (\"khanh hoa\"))");
        assert_eq!(
            fts(&Query::And(vec![not.clone(), from.clone()])),
            "(({author body} : \"hung\" *) NOT (\"khanh hoa\"))"
        );
        assert_eq!(fts(&Query::And(vec![not])), "((_all) NOT (\"khanh hoa\"))");
        assert_eq!(fts(&Query::Or(vec![Query::HasAttachment, hoa])), "(_att OR \"khanh hoa\")");
        assert_eq!(fts(&Query::Or(vec![])), "(_all NOT (_all))");
    }

    #[test]
    fn a_query_is_written_for_postgres() {
        let hoa = words(Fields::ALL, "khanh hoa", false);
        assert_eq!(tsquery(&hoa), "(('khanh' <-> 'hoa') | ('_long' & 'khanh' & 'hoa'))");
        let from = words(Fields::FROM.with(Fields::BODY), "hung", true);
        assert_eq!(tsquery(&from), "('_fhung':* | 'hung':*C)");
        assert_eq!(tsquery(&words(EVERYBODY, "hung", false)), "('hung':B)");
        assert_eq!(tsquery(&Query::Not(Box::new(Query::HasAttachment))), "!('_att')");
    }
}
