//! Hostile HTML made harmless. The web application shows the result in a sandboxed frame with a policy of its own:
//! two walls, because one will have a hole one day.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Sanitised HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeHtml {
    /// The markup.
    pub html: String,
    /// Whether remote content was taken out.
    pub has_remote_content: bool,
}

/// Style properties that mail needs and that can do no harm.
const STYLE_PROPERTIES: &[&str] = &[
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "vertical-align",
    "white-space",
    "width",
];

/// Takes out scripts, styles, forms, frames, event handlers and everything that would be loaded from elsewhere.
/// Links stay, open in a new window, and tell nothing about where they were clicked.
#[must_use]
pub fn safe_html(html: &str) -> SafeHtml {
    let remote = Arc::new(AtomicBool::new(false));
    let seen = remote.clone();
    let mut builder = ammonia::Builder::default();
    builder
        .add_tags(["font", "center", "u", "big"])
        .add_generic_attributes(["style", "align", "valign", "bgcolor", "color", "width", "height", "dir"])
        .add_tag_attributes("font", ["face", "size"])
        .add_tag_attributes("table", ["border", "cellpadding", "cellspacing"])
        .add_tag_attributes("td", ["colspan", "rowspan", "nowrap"])
        .rm_tags(["map", "area"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .filter_style_properties(STYLE_PROPERTIES.iter().copied().collect())
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true);
    builder.attribute_filter(move |element, attribute, value| filter(element, attribute, value, &seen));
    let html = builder.clean(html).to_string();
    drop(builder);
    SafeHtml { html, has_remote_content: remote.load(Ordering::Relaxed) }
}

fn filter<'v>(element: &str, attribute: &str, value: &'v str, remote: &AtomicBool) -> Option<Cow<'v, str>> {
    let lower = value.trim().to_ascii_lowercase();
    match (element, attribute) {
        // Only small raster pictures that the message brings itself.
        ("img", "src") => {
            let own = ["cid:", "data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;"];
            if own.iter().any(|prefix| lower.starts_with(prefix)) {
                return Some(Cow::Borrowed(value));
            }
            remote.store(true, Ordering::Relaxed);
            None
        }
        (_, "href") if ["http://", "https://", "mailto:", "tel:"].iter().any(|p| lower.starts_with(p)) => {
            Some(Cow::Borrowed(value))
        }
        (_, "href" | "src" | "cite" | "background" | "srcset") => None,
        (_, "style") => {
            let loads = ["url", "expression", "@import", "\\", "image-set"].iter().any(|w| lower.contains(w));
            if loads {
                remote.store(true, Ordering::Relaxed);
            }
            (!loads).then_some(Cow::Borrowed(value))
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_and_nothing_is_loaded() {
        let safe = safe_html(
            "<p onclick=x()>Chào <script>alert(1)</script><style>p{}</style><img src=https://t.example/p.gif>\
             <a href='javascript:x()'>a</a><a href='https://x.example/'>b</a><form action=x><input></form>\
             <p style='background:url(https://t.example/x);color:red'>c</p><svg onload=x()>",
        );
        assert!(safe.has_remote_content);
        for hostile in
            ["script", "onclick", "onload", "javascript:", "t.example", "<style", "<form", "<svg", "<input"]
        {
            assert!(!safe.html.contains(hostile), "{hostile} in {}", safe.html);
        }
        assert!(safe.html.contains("https://x.example/"));
        assert!(safe.html.contains("noopener"));
    }
}
