//! What was looked at when a message was approved: a digest of its headers, its body and each attachment
//! (S9.1, Điều 9: the review covers "thông tin, nội dung hồ sơ gửi đi, kể cả tệp tin đính kèm").

use crate::{attachments, headers, parse_structure};

/// The digests of a message's parts, BLAKE3 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDigest {
    /// Over all bytes: the one that is compared.
    pub whole: String,
    /// Over the header.
    pub headers: String,
    /// Over the body.
    pub body: String,
    /// Over each attachment's decoded bytes, in order.
    pub attachments: Vec<String>,
}

/// Computes the digests of a message.
#[must_use]
pub fn digest(raw: &[u8]) -> MessageDigest {
    let hex = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let (header, body) = headers::split(raw);
    MessageDigest {
        whole: hex(raw),
        headers: hex(&raw[header]),
        body: hex(&raw[body..]),
        attachments: attachments(raw, &parse_structure(raw)).iter().map(|a| hex(&a.content)).collect(),
    }
}
