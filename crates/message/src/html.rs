//! Hostile HTML made harmless. The web application shows the result in a sandboxed frame with a policy of its own:
//! two walls, because one will have a hole one day.

use crate::{Part, attachments};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
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
    /// Which attachments it shows as pictures, by their place among the attachments.
    pub pictures: Vec<usize>,
}

/// The raster pictures that a message brings for its own text (RFC 2392), as `data:` URLs: a frame that is sandboxed loads
/// nothing, not even from us.
#[derive(Debug, Clone, Default)]
pub struct InlineImages(Arc<HashMap<String, (usize, String)>>);

/// Bytes of one picture, and of all.
const LARGEST_IMAGE: usize = 4 * 1024 * 1024;
const ALL_IMAGES: usize = 16 * 1024 * 1024;

impl InlineImages {
    /// Collects the pictures that have a `Content-ID`; only what their bytes say they are is believed.
    #[must_use]
    pub fn of(raw: &[u8], root: &Part) -> Self {
        const SHOWN: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
        let mut room = ALL_IMAGES;
        let mut found = HashMap::new();
        for (place, part) in attachments(raw, root).into_iter().enumerate() {
            let (Some(id), Some(kind)) = (part.content_id, part.detected_type) else { continue };
            let size = part.content.len();
            if SHOWN.contains(&kind) && size <= LARGEST_IMAGE && size <= room {
                room -= size;
                let url = format!("data:{kind};base64,{}", BASE64_STANDARD.encode(&part.content));
                found.insert(id, (place, url));
            }
        }
        Self(Arc::new(found))
    }

    /// The picture that a `cid:` URL names; its part may be percent-encoded (RFC 2392 §2).
    fn get(&self, url: &str) -> Option<&(usize, String)> {
        let id = percent_encoding::percent_decode_str(url.get(4..)?).decode_utf8().ok()?;
        self.0.get(id.as_ref())
    }
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

/// What becomes of pictures that lie elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remote {
    /// They are taken out: loading one tells its owner that the message was read.
    Blocked,
    /// Those that come over TLS stay, without telling where they are shown.
    Shown,
}

/// Like [`safe_html_with`], without anything that lies elsewhere.
#[must_use]
pub fn safe_html(html: &str, images: &InlineImages) -> SafeHtml {
    safe_html_with(html, images, Remote::Blocked)
}

/// Takes out scripts, styles, forms, frames, event handlers and everything that would be loaded from elsewhere.
/// Links stay, open in a new window, and tell nothing about where they were clicked.
#[must_use]
pub fn safe_html_with(html: &str, images: &InlineImages, remote: Remote) -> SafeHtml {
    let found = Arc::new(Found::default());
    let (seen, images) = (found.clone(), images.clone());
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
    builder.attribute_filter(move |element, attribute, value| {
        filter(element, attribute, value, &seen, (&images, remote))
    });
    let html = builder.clean(html).to_string();
    drop(builder);
    let pictures = found.pictures.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
    SafeHtml { html, has_remote_content: found.remote.load(Ordering::Relaxed), pictures }
}

/// What was met on the way through the markup.
#[derive(Default)]
struct Found {
    remote: AtomicBool,
    pictures: Mutex<BTreeSet<usize>>,
}

fn filter<'v>(
    element: &str,
    attribute: &str,
    value: &'v str,
    found: &Found,
    (images, remote): (&InlineImages, Remote),
) -> Option<Cow<'v, str>> {
    let lower = value.trim().to_ascii_lowercase();
    match (element, attribute) {
        // Only small raster pictures that the message brings itself.
        ("img", "src") => {
            if lower.starts_with("cid:") {
                let (place, url) = images.get(value.trim())?;
                found.pictures.lock().unwrap_or_else(PoisonError::into_inner).insert(*place);
                return Some(Cow::Owned(url.clone()));
            }
            let own = ["data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;"];
            if own.iter().any(|prefix| lower.starts_with(prefix)) {
                return Some(Cow::Borrowed(value));
            }
            found.remote.store(true, Ordering::Relaxed);
            (remote == Remote::Shown && lower.starts_with("https://")).then_some(Cow::Borrowed(value))
        }
        (_, "href") if ["http://", "https://", "mailto:", "tel:"].iter().any(|p| lower.starts_with(p)) => {
            Some(Cow::Borrowed(value))
        }
        (_, "href" | "src" | "cite" | "background" | "srcset") => None,
        (_, "style") => {
            let loads = ["url", "expression", "@import", "\\", "image-set"].iter().any(|w| lower.contains(w));
            if loads {
                found.remote.store(true, Ordering::Relaxed);
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
        let images = InlineImages::default();
        let safe = safe_html(
            "<p onclick=x()>Chào <script>alert(1)</script><style>p{}</style><img src=https://t.example/p.gif>\
             <a href='javascript:x()'>a</a><a href='https://x.example/'>b</a><form action=x><input></form>\
             <p style='background:url(https://t.example/x);color:red'>c</p><svg onload=x()>",
            &images,
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

    #[test]
    fn a_message_brings_its_own_pictures() {
        let raw = b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
            <img src=\"cid:dau%40x\"><img src=cid:other>\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-ID: <dau@x>\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nR0lGODlhAQABAAAAACw=\r\n--b--\r\n";
        let root = crate::parse_structure(raw);
        let html = crate::html_body(raw, &root).unwrap();
        let shown = safe_html(&html, &InlineImages::of(raw, &root));
        // The part does not say that it is a picture; its bytes do.
        assert_eq!(shown.html.trim(), "<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"><img>");
        assert!(!shown.has_remote_content);
        assert_eq!(shown.pictures, [0]);
    }
}
