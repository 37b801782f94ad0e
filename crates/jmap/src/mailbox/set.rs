//! `Mailbox/set` (RFC 8621 §2.5). Mailboxes with a role, those of the review among them, keep their names and stay (S9.1,
//! Điều 9).

use super::{Tree, show};
use crate::{
    arguments::Arguments,
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::SetError,
    ids::Id,
    set::{self, Changes, Done, Objects},
    state,
};
use congvu_directory::{Acting, right};
use congvu_mail::{MailboxRow, Role};
use congvu_storage::Tx;
use congvu_types::{AccountId, Language, MailboxId, RefusalKind};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Refusals of one mailbox that leave nothing half done.
const ORDINARY: [RefusalKind; 6] = [
    RefusalKind::NotFound,
    RefusalKind::InUse,
    RefusalKind::AlreadyExists,
    RefusalKind::InvalidName,
    RefusalKind::TooMany,
    RefusalKind::NoRight,
];

/// `Mailbox/set`
pub(crate) fn set(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let changes = Changes::take(&mut arguments)?;
    let removes_emails = arguments.flag("onDestroyRemoveEmails")?;
    let (caller, made) = (context.caller.clone(), context.created.clone());
    let done =
        context.write(move |tx| apply(tx, &caller, account, &changes, removes_emails, made.clone())).await?;
    for (name, id) in done.new_ids() {
        context.created.insert(name.clone(), id.to_owned());
    }
    Ok(done.response(account).into())
}

/// The set under way.
struct Work<'a> {
    tx: &'a mut Tx,
    acting: Acting<right::Draft>,
    reading: Acting<right::Read>,
    language: Language,
    /// Ids of what was created in this request.
    made: HashMap<String, String>,
    done: Done,
}

fn apply(
    tx: &mut Tx,
    caller: &Caller,
    account: AccountId,
    changes: &Changes,
    removes_emails: bool,
    made: HashMap<String, String>,
) -> Outcome<Done> {
    let acting = caller.acting::<right::Draft>(tx, account)?;
    let reading = acting.with::<right::Read>().ok_or("accountNotSupportedByMethod")?;
    let old_state = set::begin(tx, &acting, changes.if_in_state.as_ref())?;
    let done = Done { old_state, ..Done::default() };
    let mut work = Work { tx, acting, reading, language: caller.language, made, done };
    work.create_all(&changes.create)?;
    for (id, patch) in &changes.update {
        match work.update(id, patch)? {
            Ok(told) => drop(work.done.updated.insert(id.clone(), told)),
            Err(error) => work.done.refuse_update(id, &error),
        }
    }
    work.destroy_all(&changes.destroy, removes_emails)?;
    work.done.new_state = state::emails(congvu_mail::state(work.tx, account)?);
    Ok(work.done)
}

type Each<T> = Outcome<Result<T, SetError>>;

/// What a client says of a mailbox.
#[derive(Debug, Default)]
struct Given {
    name: Option<String>,
    /// `Some(None)`: at the top.
    parent: Option<Option<String>>,
    is_subscribed: Option<bool>,
    /// Whether it has its own idea of the order, which is ours.
    has_order: bool,
}

fn given(object: &Map<String, Value>) -> Result<Given, SetError> {
    let mut given = Given::default();
    for (name, value) in object {
        let wrong =
            || SetError::properties([name.as_str()], format!("{name} is of another type, or not to be set"));
        match (name.as_str(), value) {
            ("name", Value::String(text)) if !text.contains('/') => given.name = Some(text.clone()),
            ("parentId", Value::Null) => given.parent = Some(None),
            ("parentId", Value::String(id)) => given.parent = Some(Some(id.clone())),
            ("isSubscribed", Value::Bool(is)) => given.is_subscribed = Some(*is),
            ("sortOrder", Value::Number(order)) if order.is_u64() => given.has_order = true,
            ("role" | "reviewRole", Value::Null) => {}
            _ => return Err(wrong()),
        }
    }
    Ok(given)
}

impl Work<'_> {
    /// Makes mailboxes, those above first, whatever the order in which they come.
    fn create_all(&mut self, create: &Objects) -> Outcome<()> {
        let mut waiting: Vec<&(String, Map<String, Value>)> = create.iter().collect();
        let mut is_moving = true;
        while is_moving && !waiting.is_empty() {
            is_moving = false;
            for entry in std::mem::take(&mut waiting) {
                let (name, object) = entry;
                let above =
                    object.get("parentId").and_then(Value::as_str).and_then(|id| id.strip_prefix('#'));
                let must_wait = above.is_some_and(|above| {
                    !self.made.contains_key(above)
                        && create.iter().any(|(other, _)| other == above)
                        && !self.done.not_created.contains_key(above)
                });
                if must_wait {
                    waiting.push(entry);
                    continue;
                }
                is_moving = true;
                match self.create(object)? {
                    Ok((id, told)) => {
                        self.made.insert(name.clone(), id);
                        self.done.created.insert(name.clone(), told);
                    }
                    Err(error) => self.done.refuse_creation(name, &error),
                }
            }
        }
        for (name, _) in waiting {
            let error = SetError::properties(["parentId"], "mailboxes cannot lie in each other");
            self.done.refuse_creation(name, &error);
        }
        Ok(())
    }

    fn create(&mut self, object: &Map<String, Value>) -> Each<(String, Value)> {
        let given = match given(object) {
            Ok(given) => given,
            Err(error) => return Ok(Err(error)),
        };
        let Some(name) = &given.name else {
            return Ok(Err(SetError::properties(["name"], "a mailbox has a name")));
        };
        let name = match self.whole_name(name, given.parent.as_ref().unwrap_or(&None))? {
            Ok(name) => name,
            Err(error) => return Ok(Err(error)),
        };
        let made = congvu_mail::create_mailbox(self.tx, &self.acting, &name);
        let id = match set::refused(made, &ORDINARY, self.language)? {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        };
        congvu_mail::subscribe(self.tx, &self.reading, id, given.is_subscribed.unwrap_or(false))?;
        let tree = Tree::read(self.tx, &self.reading)?;
        let row = tree.rows.iter().find(|row| row.id == id).ok_or(RefusalKind::NotFound)?;
        let mut told = show(&tree, &self.reading, row);
        // What the client said is not told again.
        told.retain(|name, value| object.get(name) != Some(value));
        Ok(Ok((id.text(), Value::Object(told))))
    }

    /// The whole name of a mailbox in another.
    fn whole_name(&self, name: &str, parent: &Option<String>) -> Each<String> {
        let Some(parent) = parent else { return Ok(Ok(name.to_owned())) };
        let missing = || SetError::properties(["parentId"], "there is no such mailbox");
        let Some(id) = set::known::<MailboxId>(parent, &self.made) else { return Ok(Err(missing())) };
        let found = congvu_mail::mailbox(self.tx, self.acting.account(), id);
        Ok(match set::refused(found, &[RefusalKind::NotFound], self.language)? {
            Ok(above) if above.role.is_review() => {
                Err(SetError::because("forbidden", "nothing lies in a mailbox of the review"))
            }
            Ok(above) => Ok(format!("{}/{name}", above.name)),
            Err(_) => Err(missing()),
        })
    }

    fn update(&mut self, id: &str, patch: &Map<String, Value>) -> Each<Value> {
        let row = match self.find(id)? {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        let given = match given(patch) {
            Ok(given) => given,
            Err(error) => return Ok(Err(error)),
        };
        if given.name.is_some() || given.parent.is_some() {
            let tree = Tree::read(self.tx, &self.reading)?;
            let name = given.name.clone().unwrap_or_else(|| tree.name(&row).to_owned());
            let stays = tree.parent(&row).map(|parent| parent.id.text());
            let whole = match self.whole_name(&name, given.parent.as_ref().unwrap_or(&stays))? {
                Ok(whole) => whole,
                Err(error) => return Ok(Err(error)),
            };
            if whole != row.name {
                if row.role != Role::None {
                    return Ok(Err(SetError::because("forbidden", "a mailbox with a role keeps its name")));
                }
                let renamed = congvu_mail::rename_mailbox(self.tx, &self.acting, row.id, &whole);
                if let Err(error) = set::refused(renamed, &ORDINARY, self.language)? {
                    return Ok(Err(error));
                }
            }
        }
        if let Some(is_subscribed) = given.is_subscribed {
            congvu_mail::subscribe(self.tx, &self.reading, row.id, is_subscribed)?;
        }
        // The order is ours: the client is told so.
        let told = given.has_order.then(|| json!({ "sortOrder": super::sort_order(row.role) }));
        Ok(Ok(told.unwrap_or(Value::Null)))
    }

    fn find(&self, id: &str) -> Each<MailboxRow> {
        let Some(id) = set::known::<MailboxId>(id, &self.made) else {
            return Ok(Err(SetError::new("notFound")));
        };
        set::refused(
            congvu_mail::mailbox(self.tx, self.acting.account(), id),
            &[RefusalKind::NotFound],
            self.language,
        )
    }

    /// Removes mailboxes, those below first.
    fn destroy_all(&mut self, destroy: &[String], removes_emails: bool) -> Outcome<()> {
        let mut found = Vec::new();
        for id in destroy {
            match self.find(id)? {
                Ok(row) => found.push((row, id)),
                Err(error) => self.done.refuse_destruction(id, &error),
            }
        }
        found.sort_by_key(|(row, _)| std::cmp::Reverse(row.name.matches('/').count()));
        for (row, id) in found {
            match self.destroy(&row, removes_emails)? {
                Ok(()) => self.done.destroyed.push(row.id.text().into()),
                Err(error) => self.done.refuse_destruction(id, &error),
            }
        }
        Ok(())
    }

    fn destroy(&mut self, row: &MailboxRow, removes_emails: bool) -> Each<()> {
        if row.role != Role::None {
            return Ok(Err(SetError::because("forbidden", "a mailbox with a role stays")));
        }
        let below = format!("{}/", row.name);
        let all = congvu_mail::mailboxes(self.tx, row.account)?;
        if all.iter().any(|other| other.name.starts_with(&below)) {
            return Ok(Err(SetError::new("mailboxHasChild")));
        }
        // Mail may have come since it was looked up.
        if all.iter().any(|now| now.id == row.id && now.total > 0) && !removes_emails {
            return Ok(Err(SetError::new("mailboxHasEmail")));
        }
        set::refused(congvu_mail::delete_mailbox(self.tx, &self.acting, row.id), &ORDINARY, self.language)
    }
}
