//! An email as clients see it: what the row and the stored envelope tell, and what the bytes tell. `Email/get` and
//! `Email/parse` share it.

use super::{
    body::Structure,
    header::{self, addresses, message_ids},
    wanted::Wanted,
};
use crate::{blob_id::BlobId, ids::Id};
use congvu_mail::{EmailRow, FlagSet};
use congvu_message::{Envelope, Part, headers, local_date_time};
use congvu_types::{Flags, MailboxId};
use serde_json::{Map, Value};
use std::ops::Range;

/// System flags and their keywords (RFC 8621 §4.1.1). `\Deleted` has none.
pub(crate) const FLAG_KEYWORDS: [(Flags, &str); 4] = [
    (Flags::SEEN, "$seen"),
    (Flags::FLAGGED, "$flagged"),
    (Flags::ANSWERED, "$answered"),
    (Flags::DRAFT, "$draft"),
];

/// Returns keywords as clients see them; `names` are those of the account.
pub(crate) fn keywords(flags: FlagSet, names: &[String]) -> Map<String, Value> {
    let system = FLAG_KEYWORDS.iter().filter(|(flag, _)| flags.system().contains(*flag));
    let all = system.map(|(_, name)| (*name).to_owned());
    all.chain(flags.keywords(names).map(str::to_ascii_lowercase)).map(|name| (name, true.into())).collect()
}

/// Returns the mailboxes of an email: one (docs/adr/0018).
pub(crate) fn mailbox_ids(mailbox: MailboxId) -> Value {
    Value::Object(Map::from_iter([(mailbox.text(), true.into())]))
}

/// Puts in what the store knows (RFC 8621 §4.1.1).
pub(crate) fn metadata(shown: &mut Map<String, Value>, row: &EmailRow, names: &[String], wanted: &Wanted) {
    shown.insert("id".to_owned(), row.id.text().into());
    for name in &wanted.properties {
        let value = match name.as_str() {
            "blobId" => BlobId::whole(row.blob).text().into(),
            "threadId" => row.thread.text().into(),
            "mailboxIds" => mailbox_ids(row.mailbox),
            "keywords" => keywords(row.flags, names).into(),
            "size" => row.size.into(),
            "receivedAt" => row.received_at.rfc3339().into(),
            "hasAttachment" => row.has_attachment.into(),
            "preview" => row.preview.clone().into(),
            _ => continue,
        };
        shown.insert(name.clone(), value);
    }
}

/// Puts in what the envelope tells (RFC 8621 §4.1.2, §4.1.3). `Sender` and `Reply-To` that say no more than `From` are as good as
/// absent: what is stored does not tell them apart.
pub(crate) fn envelope(shown: &mut Map<String, Value>, envelope: &Envelope, wanted: &Wanted) {
    let list = |items: &[congvu_message::AddressItem]| match addresses(items) {
        Value::Array(list) if list.is_empty() => Value::Null,
        list => list,
    };
    let unlike = |items: &[congvu_message::AddressItem]| match items == envelope.from {
        true => Value::Null,
        false => list(items),
    };
    for name in &wanted.properties {
        let value = match name.as_str() {
            "messageId" => envelope.message_id.as_deref().map_or(Value::Null, message_ids),
            "inReplyTo" => envelope.in_reply_to.as_deref().map_or(Value::Null, message_ids),
            "from" => list(&envelope.from),
            "sender" => unlike(&envelope.sender),
            "replyTo" => unlike(&envelope.reply_to),
            "to" => list(&envelope.to),
            "cc" => list(&envelope.cc),
            "bcc" => list(&envelope.bcc),
            "subject" => envelope.subject.as_deref().map(|s| headers::decode(s.as_bytes())).into(),
            "sentAt" => envelope.date.as_deref().and_then(local_date_time).into(),
            _ => continue,
        };
        shown.insert(name.clone(), value);
    }
}

/// Puts in what the bytes tell; returns the places of the message that are shown whole.
pub(crate) fn content(
    shown: &mut Map<String, Value>,
    (raw, root): (&[u8], &Part),
    id: &BlobId,
    wanted: &Wanted,
) -> Vec<Range<u32>> {
    let head = raw.get(root.header.start as usize..root.header.end as usize).unwrap_or_default();
    for asked in &wanted.headers {
        shown.insert(asked.property.clone(), asked.value(head));
    }
    let structure = Structure::of(root);
    let lists = structure.lists();
    let mut places = Vec::new();
    for name in &wanted.properties {
        let value = match name.as_str() {
            "headers" => header::all(head),
            "references" => headers::fields(head)
                .filter(|f| f.is("References"))
                .last()
                .map_or(Value::Null, |f| header::in_form(&f, header::Form::MessageIds)),
            "bodyStructure" => structure.tree(raw, id, wanted),
            "textBody" => structure.list(&lists.text, raw, id, wanted),
            "htmlBody" => structure.list(&lists.html, raw, id, wanted),
            "attachments" => structure.list(&lists.attachments, raw, id, wanted),
            "bodyValues" => {
                let values = structure.values(raw, &lists, wanted);
                places = values.shown;
                values.by_part.into()
            }
            _ => continue,
        };
        shown.insert(name.clone(), value);
    }
    places
}
