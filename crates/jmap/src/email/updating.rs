//! The updates of `Email/set` (RFC 8621 §4.6): keywords and the mailbox, by patch. What is the same for many emails is one
//! change of the store.

use super::{
    filing::{Marks, one_mailbox},
    set,
};
use crate::{
    dispatch::Outcome,
    error::SetError,
    set::{Done, Objects, known, path, refused},
};
use congvu_directory::{Acting, right};
use congvu_mail::{EmailPlace, FlagChange, FlagOperation, MailboxRow};
use congvu_storage::Tx;
use congvu_types::{EmailId, Flags, Language, MailboxId, RefusalKind, Uid};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Refusals of a change that leave nothing half done.
const ORDINARY: [RefusalKind; 2] = [RefusalKind::NotFound, RefusalKind::NoRight];

/// What a patch says.
#[derive(Debug, Default)]
struct Patch {
    /// All of the keywords.
    keywords: Option<Marks>,
    /// Single keywords that are set or taken away.
    set: Marks,
    unset: Marks,
    /// All of the mailboxes: one.
    mailbox: Option<String>,
    /// Single mailboxes that it comes to or goes from.
    into: Vec<String>,
    out_of: Vec<String>,
}

fn read(patch: &Map<String, Value>) -> Result<Patch, SetError> {
    let wrong = |name: &str| SetError::properties([name], format!("{name:.200} cannot be set so"));
    let mut read = Patch::default();
    for (pointer, value) in patch {
        let steps = path(pointer);
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let is_set = match value {
            Value::Bool(true) => Some(true),
            Value::Null => Some(false),
            _ => None,
        };
        match (steps.as_slice(), is_set) {
            (["keywords"], Some(false)) => read.keywords = Some(Marks::default()),
            (["keywords"], _) => read.keywords = Some(Marks::read(value)?),
            (["keywords", name], Some(is_set)) => {
                let marks = if is_set { &mut read.set } else { &mut read.unset };
                marks.add(name).ok_or_else(|| wrong(pointer))?;
            }
            (["mailboxIds"], _) => read.mailbox = Some(one_mailbox(value)?),
            (["mailboxIds", id], Some(true)) => read.into.push((*id).to_owned()),
            (["mailboxIds", id], Some(false)) => read.out_of.push((*id).to_owned()),
            (["keywords" | "mailboxIds", ..], _) => return Err(SetError::new("invalidPatch")),
            _ => return Err(wrong(pointer)),
        }
    }
    // RFC 8620 §5.3: no path of a patch lies within another.
    let twice_marked =
        read.keywords.is_some() && (read.set != Marks::default() || read.unset != Marks::default());
    let twice_filed = read.mailbox.is_some() && !(read.into.is_empty() && read.out_of.is_empty());
    if twice_marked || twice_filed { Err(SetError::new("invalidPatch")) } else { Ok(read) }
}

/// What is to be done with one email.
#[derive(Debug)]
struct Planned<'a> {
    /// The id as the client gave it.
    text: &'a String,
    place: EmailPlace,
    add: Marks,
    remove: Marks,
    to: Option<MailboxId>,
}

/// Plans and makes the updates.
pub(crate) fn update_all(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    (update, made): (&Objects, &HashMap<String, String>),
    done: &mut Done,
    language: Language,
) -> Outcome<()> {
    if update.is_empty() {
        return Ok(());
    }
    let account = acting.account();
    let named: Vec<Option<EmailId>> = update.iter().map(|(id, _)| known(id, made)).collect();
    let ids: Vec<EmailId> = named.iter().flatten().copied().collect();
    let places = congvu_mail::email_places(tx, account, &ids)?;
    let places: HashMap<EmailId, EmailPlace> = places.into_iter().map(|place| (place.id, place)).collect();
    let names = congvu_mail::keywords(tx, account)?;
    let boxes = congvu_mail::mailboxes(tx, account)?;
    let boxes: HashMap<MailboxId, MailboxRow> = boxes.into_iter().map(|row| (row.id, row)).collect();
    let mut plans = Vec::new();
    for ((text, patch), id) in update.iter().zip(named) {
        let place = id.and_then(|id| places.get(&id));
        let planned = match place {
            None => Err(SetError::new("notFound")),
            Some(place) => read(patch).and_then(|patch| plan(text, *place, patch, &names, (&boxes, made))),
        };
        match planned {
            Ok(plan) if !set::has_room_for(tx, account, &plan.add.keywords)? => {
                done.refuse_update(text, &SetError::new("tooManyKeywords"));
            }
            Ok(plan) => plans.push(plan),
            Err(error) => done.refuse_update(text, &error),
        }
    }
    let plans = mark(tx, acting, plans, done, language)?;
    shift(tx, acting, plans, done, language)
}

fn plan<'a>(
    text: &'a String,
    place: EmailPlace,
    patch: Patch,
    names: &[String],
    (boxes, made): (&HashMap<MailboxId, MailboxRow>, &HashMap<String, String>),
) -> Result<Planned<'a>, SetError> {
    let to = target(&patch, place.mailbox, made)?;
    let (add, remove) = match patch.keywords {
        None => (patch.set, patch.unset),
        Some(wanted) => {
            let now = Marks::of(place.flags, names);
            (less(&wanted, &now), less(&now, &wanted))
        }
    };
    let to = to.filter(|to| *to != place.mailbox);
    if let Some(to) = to {
        let target =
            boxes.get(&to).ok_or_else(|| SetError::properties(["mailboxIds"], "there is no such mailbox"))?;
        // S9.1 (Điều 9): what lies in the review is moved by decisions alone.
        if target.role.is_review() || boxes.get(&place.mailbox).is_some_and(|row| row.role.is_review()) {
            return Err(SetError::because("forbidden", "the review's mailboxes are changed by decisions"));
        }
    }
    Ok(Planned { text, place, add, remove, to })
}

/// Where the email is to lie; it lies in one mailbox, always.
fn target(
    patch: &Patch,
    now: MailboxId,
    made: &HashMap<String, String>,
) -> Result<Option<MailboxId>, SetError> {
    let missing = || SetError::properties(["mailboxIds"], "there is no such mailbox");
    if let Some(mailbox) = &patch.mailbox {
        return known(mailbox, made).map(Some).ok_or_else(missing);
    }
    let mut all = vec![now];
    for id in &patch.into {
        let id = known(id, made).ok_or_else(missing)?;
        if !all.contains(&id) {
            all.push(id);
        }
    }
    let gone: Vec<MailboxId> = patch.out_of.iter().filter_map(|id| known(id, made)).collect();
    all.retain(|id| !gone.contains(id));
    match all.as_slice() {
        [] => Err(SetError::properties(["mailboxIds"], "an email lies in a mailbox")),
        [one] => Ok(Some(*one)),
        _ => Err(SetError::new("tooManyMailboxes")),
    }
}

/// What of some marks is not among others.
fn less(marks: &Marks, others: &Marks) -> Marks {
    Marks {
        flags: marks.flags.without(others.flags),
        keywords: marks.keywords.iter().filter(|k| !others.keywords.contains(k)).cloned().collect(),
    }
}

/// What is done to many emails of a mailbox at once.
type Group = (MailboxId, bool, u8, Vec<String>);

/// Sets and takes away keywords; returns the emails that were not refused.
fn mark<'a>(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    plans: Vec<Planned<'a>>,
    done: &mut Done,
    language: Language,
) -> Outcome<Vec<Planned<'a>>> {
    let mut groups: BTreeMap<Group, Vec<(Uid, &String)>> = BTreeMap::new();
    for plan in &plans {
        for (is_added, marks) in [(true, &plan.add), (false, &plan.remove)] {
            if marks.flags == Flags::NONE && marks.keywords.is_empty() {
                continue;
            }
            let mut keywords: Vec<String> = marks.keywords.iter().map(ToString::to_string).collect();
            keywords.sort_unstable();
            let group = (plan.place.mailbox, is_added, marks.flags.bits(), keywords);
            groups.entry(group).or_default().push((plan.place.uid, plan.text));
        }
    }
    let mut failed: HashMap<&String, SetError> = HashMap::new();
    for ((mailbox, is_added, flags, keywords), emails) in groups {
        let change = FlagChange {
            operation: if is_added { FlagOperation::Add } else { FlagOperation::Remove },
            flags: Flags::from_bits(flags),
            keywords: keywords.iter().filter_map(|name| name.parse().ok()).collect(),
            unchanged_since: None,
        };
        let uids: Vec<Uid> = emails.iter().map(|(uid, _)| *uid).collect();
        let stored = congvu_mail::store_flags(tx, acting, mailbox, &uids, &change);
        if let Err(error) = refused(stored, &ORDINARY, language)? {
            failed.extend(emails.iter().map(|(_, text)| (*text, error.clone())));
        }
    }
    for (text, error) in &failed {
        done.refuse_update(text, error);
    }
    Ok(plans.into_iter().filter(|plan| !failed.contains_key(plan.text)).collect())
}

/// Moves emails, those that go the same way at once.
fn shift(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    plans: Vec<Planned<'_>>,
    done: &mut Done,
    language: Language,
) -> Outcome<()> {
    let mut ways: BTreeMap<(MailboxId, MailboxId), BTreeMap<Uid, &String>> = BTreeMap::new();
    for plan in plans {
        match plan.to {
            None => drop(done.updated.insert(plan.text.clone(), Value::Null)),
            Some(to) => {
                ways.entry((plan.place.mailbox, to)).or_default().insert(plan.place.uid, plan.text);
            }
        }
    }
    for ((from, to), emails) in ways {
        let uids: Vec<Uid> = emails.keys().copied().collect();
        let moved = congvu_mail::move_messages(tx, acting, from, to, &uids);
        match refused(moved, &ORDINARY, language)? {
            Ok(_) => emails.values().for_each(|text| drop(done.updated.insert((*text).clone(), Value::Null))),
            Err(error) => emails.values().for_each(|text| done.refuse_update(text, &error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(patch: Value) -> Option<Value> {
        let Value::Object(patch) = patch else { unreachable!() };
        read(&patch).err().map(|error| error.to_value()["type"].clone())
    }

    #[test]
    fn patches_are_read_as_the_rfc_says() {
        assert_eq!(
            kind(json!({ "keywords/$seen": true, "keywords/a~1b": null, "mailboxIds/m1": null })),
            None
        );
        assert_eq!(kind(json!({ "keywords": { "$seen": true }, "mailboxIds": { "m1": true } })), None);
        for (patch, expected) in [
            (json!({ "keywords": {}, "keywords/$seen": true }), "invalidPatch"),
            (json!({ "mailboxIds": { "m1": true }, "mailboxIds/m2": true }), "invalidPatch"),
            (json!({ "keywords/$seen/x": true }), "invalidPatch"),
            (json!({ "keywords/$seen": false }), "invalidPatch"),
            (json!({ "keywords": { "$seen": false } }), "invalidProperties"),
            (json!({ "keywords/a b": true }), "invalidProperties"),
            (json!({ "subject": "x" }), "invalidProperties"),
            (json!({ "mailboxIds": {} }), "invalidProperties"),
            (json!({ "mailboxIds": { "m1": true, "m2": true } }), "tooManyMailboxes"),
        ] {
            assert_eq!(kind(patch.clone()), Some(expected.into()), "{patch}");
        }
    }
}
