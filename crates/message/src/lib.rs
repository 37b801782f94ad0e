//! RFC 5322 and MIME: bytes in, values out. Pure: no I/O, no clock, no database.
//!
//! The largest surface for hostile bytes, so everything is bounded: split into at most [`MAX_PARTS`] parts, [`MAX_DEPTH`] levels,
//! and nothing here panics on any input (fuzz/ and the properties in tests/).

mod address;
mod attachment;
mod attachment_text;
mod authors;
mod body;
mod charset;
mod codec;
mod compose;
mod digest;
mod envelope;
pub mod headers;
mod html;
mod letter;
mod section;
mod structure;
mod submission;
mod summary;
mod words;

pub use address::{AddressItem, parse_addresses};
pub use attachment::{Attachment, attached, attachment_name, attachments, file_name};
pub use attachment_text::{AttachmentText, TextLimits, attachment_texts};
pub use authors::{AuthorFault, Authors, mailbox_list, read_authors};
pub use body::{
    PartText, all_text, decode_part, html_body, html_of_its_own, part_text, text_body, text_parts,
};
pub use codec::{DecodeError, decode_summary, encode_summary};
pub use compose::{Answer, Dsn, DsnRecipient, Notice, answer, dsn, notice};
pub use digest::{MessageDigest, digest};
pub use envelope::Envelope;
pub use html::{InlineImages, Remote, SafeHtml, safe_html, safe_html_with};
pub use letter::{FieldValue, Letter, LetterError, LetterPart, Mailbox, PartBody, write_letter};
pub use section::{SectionSpec, SectionText, find_part, section, section_place};
pub use structure::{MAX_DEPTH, MAX_PARTS, Params, Part, is_within_limits, parse_structure};
pub use submission::{SenderFields, complete, sender_fields};
pub use summary::{Summary, date_and_zone, local_date_time, sent_day, summarize};
