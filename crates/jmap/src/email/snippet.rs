//! `SearchSnippet/get` (RFC 8621 §5.1): the words around what a search found.

use super::searching;
use crate::{
    arguments::Arguments,
    dispatch::{Caller, Outcome},
    error::MethodError,
    ids::Id,
};
use congvu_directory::right;
use congvu_mail::search::{Expression, Marked, snippet};
use congvu_storage::Snapshot;
use congvu_types::EmailId;
use serde_json::{Value, json};

/// Messages that are read for one call.
const MOST: usize = 100;
/// Bytes of a preview, its marks included (RFC 8621 §5).
const LONGEST_PREVIEW: usize = 255;

/// `SearchSnippet/get`. What it shows of the text is no more than `preview` in a list.
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let wanted = searching::wanted(&searching::read(arguments.object("filter")?)?);
    let ids = arguments.texts("emailIds")?;
    let ids = ids.ok_or_else(|| MethodError::arguments("emailIds is needed"))?;
    if ids.len() > MOST {
        return Err("requestTooLarge".into());
    }
    if !wanted.is_within_limits() {
        return Err(MethodError::because("unsupportedFilter", "too many words").into());
    }
    let (mut list, mut not_found) = (Vec::new(), Vec::new());
    for id in ids {
        let known: Vec<EmailId> = EmailId::read(&id).into_iter().collect();
        let Some(row) = congvu_mail::emails(snapshot, &acting, &known)?.pop() else {
            not_found.push(id);
            continue;
        };
        if wanted == Expression::All {
            list.push(json!({ "emailId": id, "subject": null, "preview": null }));
            continue;
        }
        caller.take_room(usize::try_from(row.size).unwrap_or(usize::MAX))?;
        let found = snippet(&snapshot.blob(&row.blob)?, &wanted);
        list.push(json!({
            "emailId": id,
            "subject": found.subject.map(|m| html(&m, usize::MAX)),
            "preview": found.preview.map(|m| html(&m, LONGEST_PREVIEW)),
        }));
    }
    let not_found = if not_found.is_empty() { Value::Null } else { not_found.into() };
    Ok(json!({ "accountId": acting.account().text(), "list": list, "notFound": not_found }))
}

/// Writes a text as HTML with `<mark>` around what was found (RFC 8621 §5), cut before it becomes longer than `longest` bytes.
fn html(marked: &Marked, longest: usize) -> String {
    const OPEN: &str = "<mark>";
    const CLOSE: &str = "</mark>";
    let mut out = String::new();
    let mut marks = marked.marks.iter().peekable();
    let mut is_open = false;
    for (at, c) in marked.text.char_indices() {
        let mut piece = String::new();
        while let Some(mark) = marks.peek() {
            if is_open && at >= mark.end {
                piece.push_str(CLOSE);
                is_open = false;
                marks.next();
            } else if !is_open && at >= mark.start && at < mark.end {
                piece.push_str(OPEN);
                is_open = true;
                break;
            } else {
                break;
            }
        }
        match c {
            '&' => piece.push_str("&amp;"),
            '<' => piece.push_str("&lt;"),
            '>' => piece.push_str("&gt;"),
            other => piece.push(other),
        }
        // A mark that is open must be closed within the bound.
        let room = longest.saturating_sub(if is_open { CLOSE.len() } else { 0 });
        if out.len() + piece.len() > room {
            is_open = out.rfind(OPEN).is_some_and(|open| out.rfind(CLOSE).is_none_or(|close| close < open));
            break;
        }
        out.push_str(&piece);
    }
    if is_open {
        out.push_str(CLOSE);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_html_of_a_bounded_length() {
        let text = "a <b> & kinh phí".to_owned();
        let marks = vec![0..1, 8..text.len()];
        let marked = Marked { text, marks };
        assert_eq!(html(&marked, 255), "<mark>a</mark> &lt;b&gt; &amp; <mark>kinh phí</mark>");
        let whole = html(&marked, usize::MAX);
        for longest in 0..=whole.len() {
            let cut = html(&marked, longest);
            assert!(cut.len() <= longest, "{longest}: {cut}");
            assert_eq!(cut.matches("<mark>").count(), cut.matches("</mark>").count(), "{cut}");
        }
    }
}
