//! Reviews as the interface shows them.

use crate::problem::CitationView;
use congvu_casework::review::{Parts, Review, Step, can_decide, history, parts_opened};
use congvu_directory::{SignedIn, account, regulation_of};
use congvu_message::{
    AddressItem, Envelope, InlineImages, attachments, html_body, parse_structure, safe_html, summarize,
    text_body,
};
use congvu_storage::Snapshot;
use congvu_types::{EmailAddress, Result, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// The longest text that is shown; the message itself can be downloaded.
const LONGEST_TEXT: usize = 500_000;

/// A name.
#[derive(Serialize, ToSchema)]
pub(crate) struct NameView {
    name: String,
}

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountName {
    id: String,
    address: String,
}

/// A review in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReviewItem {
    id: String,
    subject: String,
    author: NameView,
    account: AccountName,
    recipients: Vec<String>,
    submitted_at: String,
    /// By when a decision is due.
    due_at: Option<String>,
    /// `awaiting`, `approved`, `returned`, `rejected` or `withdrawn`.
    state: String,
    has_attachments: bool,
    /// The article that demands the review.
    citation: CitationView,
    /// Whether the person may decide on it now.
    can_decide: bool,
    /// Whether the person wrote it.
    is_mine: bool,
    comment: Option<String>,
    decided_at: Option<String>,
    decided_by: Option<String>,
}

/// A page of reviews.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReviewList {
    pub(crate) reviews: Vec<ReviewItem>,
    /// What to give as `before` for the next page.
    pub(crate) next: Option<String>,
}

/// An address with its name.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddressView {
    name: Option<String>,
    address: String,
}

/// A recipient of the envelope, blind ones included.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecipientView {
    address: String,
    /// Whether the domain is official; `null` when the regulation names none (S2.2b).
    official: Option<bool>,
}

/// An attachment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttachmentView {
    index: usize,
    name: String,
    declared_type: String,
    /// What the first bytes say.
    detected_type: Option<String>,
    size_bytes: usize,
    /// Whether opening it may run something.
    dangerous: bool,
    /// Whether the person opened it. Who approves has opened all (S9.1).
    opened: bool,
}

/// A rule that the message touches.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HitView {
    address: String,
    /// Whether it stands in Reply-To: answers go there.
    is_reply_to: bool,
    citation: CitationView,
}

/// A step of the history.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepView {
    at: String,
    actor: String,
    step: String,
    comment: Option<String>,
}

/// A review with its message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReviewDetail {
    #[serde(flatten)]
    item: ReviewItem,
    /// What a decision must name, so that it is on exactly these bytes (S9.1).
    digest: String,
    from: Vec<AddressView>,
    /// Who sends for the authors, when it is somebody else.
    sender: Vec<AddressView>,
    /// Where answers go, when it is not the authors.
    reply_to: Vec<AddressView>,
    to: Vec<AddressView>,
    cc: Vec<AddressView>,
    envelope_recipients: Vec<RecipientView>,
    size_bytes: u64,
    /// When the message says it was written.
    sent_at: Option<String>,
    text: String,
    /// Whether the text goes on: the whole of it is in the message itself.
    text_is_cut: bool,
    /// Whether the person had the whole text before them, its HTML form too where that says more.
    text_opened: bool,
    has_html: bool,
    has_remote_content: bool,
    attachments: Vec<AttachmentView>,
    hits: Vec<HitView>,
    history: Vec<StepView>,
}

/// Shows a review in a list.
pub(crate) fn item(snapshot: &Snapshot, who: &SignedIn, review: &Review) -> Result<ReviewItem> {
    Ok(ReviewItem {
        id: review.id.to_string(),
        subject: review.subject.clone(),
        author: NameView { name: review.author_name.clone() },
        account: AccountName {
            id: review.account.to_string(),
            address: account(snapshot, review.account)?.address.to_string(),
        },
        recipients: review.envelope.recipients.iter().map(|r| r.address.to_string()).collect(),
        submitted_at: review.submitted_at.rfc3339(),
        due_at: review.due_at.map(Timestamp::rfc3339),
        state: review.state.as_str().to_owned(),
        has_attachments: !review.digest.attachments.is_empty(),
        citation: (&review.citation).into(),
        can_decide: can_decide(snapshot, who, review)?,
        is_mine: review.author == who.person(),
        comment: review.comment.clone(),
        decided_at: review.decided_at.map(Timestamp::rfc3339),
        decided_by: review.decider.as_ref().map(|(_, name)| name.clone()),
    })
}

/// Shows a review with its message.
pub(crate) fn detail(snapshot: &Snapshot, who: &SignedIn, review: &Review) -> Result<ReviewDetail> {
    let raw = snapshot.blob(&review.blob)?;
    let root = parse_structure(&raw);
    let envelope = Envelope::read(&raw);
    let text = text_body(&raw, &root);
    let html = html_body(&raw, &root).map(|h| safe_html(&h, &InlineImages::default()));
    let regulation = regulation_of(snapshot, review.agency)?;
    let opened = parts_opened(snapshot, review, who.person())?;
    let recipient = |address: &EmailAddress| RecipientView {
        address: address.to_string(),
        official: regulation.is_official(address.domain()),
    };
    let hit = |hit: &congvu_casework::review::RuleHit| HitView {
        address: hit.address.clone(),
        is_reply_to: hit.is_reply_to,
        citation: (&hit.citation).into(),
    };
    Ok(ReviewDetail {
        item: item(snapshot, who, review)?,
        digest: review.digest.whole.clone(),
        from: addresses(&envelope.from),
        sender: addresses(unlike(&envelope.sender, &envelope.from)),
        reply_to: addresses(unlike(&envelope.reply_to, &envelope.from)),
        to: addresses(&envelope.to),
        cc: addresses(&envelope.cc),
        envelope_recipients: review.envelope.recipients.iter().map(|r| recipient(&r.address)).collect(),
        size_bytes: review.size_bytes,
        sent_at: summarize(&raw).sent_at.map(Timestamp::rfc3339),
        text_is_cut: is_cut(&text),
        text_opened: opened.has_text(),
        text: text.chars().take(LONGEST_TEXT).collect(),
        has_html: html.is_some(),
        has_remote_content: html.is_some_and(|h| h.has_remote_content),
        attachments: attachments(&raw, &root)
            .iter()
            .enumerate()
            .map(|found| attachment(found, &opened))
            .collect(),
        hits: review.hits.iter().map(hit).collect(),
        history: history(snapshot, review)?.into_iter().map(step).collect(),
    })
}

fn is_cut(text: &str) -> bool {
    text.chars().nth(LONGEST_TEXT).is_some()
}

/// What a person has before them who is shown [`detail`]: the plain text, when it is shown whole.
pub(crate) fn parts_shown(snapshot: &Snapshot, review: &Review) -> Result<Parts> {
    let raw = snapshot.blob(&review.blob)?;
    let root = parse_structure(&raw);
    Ok(if is_cut(&text_body(&raw, &root)) { Parts::default() } else { Parts::plain(&raw, &root) })
}

fn attachment((index, found): (usize, &congvu_message::Attachment), opened: &Parts) -> AttachmentView {
    AttachmentView {
        index,
        name: found.name.clone(),
        declared_type: found.declared_type.clone(),
        detected_type: found.detected_type.map(str::to_owned),
        size_bytes: found.content.len(),
        dangerous: found.is_dangerous,
        opened: opened.has_attachment(index),
    }
}

fn addresses(items: &[AddressItem]) -> Vec<AddressView> {
    let shown = items.iter().filter_map(|item| match item {
        AddressItem::Mailbox { local, domain, .. } => {
            Some(AddressView { name: item.display_name(), address: format!("{local}@{domain}") })
        }
        AddressItem::GroupStart(_) | AddressItem::GroupEnd => None,
    });
    shown.take(1000).collect()
}

/// Nothing when the field says no more than `From` does.
fn unlike<'a>(field: &'a [AddressItem], from: &[AddressItem]) -> &'a [AddressItem] {
    if field == from { &[] } else { field }
}

fn step(step: Step) -> StepView {
    StepView { at: step.at.rfc3339(), actor: step.actor, step: step.step, comment: step.comment }
}
