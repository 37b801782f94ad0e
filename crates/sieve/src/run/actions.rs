//! Actions: noted once, in their order, and checked against each other.

use super::{Action, Run, RunFault, VacationAnswer, flag_names};
use crate::{
    ast::{CommandKind, Vacation},
    text::Text,
};
use congvu_types::EmailAddress;

impl Run<'_, '_> {
    pub(super) fn action(&mut self, command: &CommandKind) -> Result<(), RunFault> {
        match command {
            CommandKind::Keep { flags } => {
                let flags = self.flags_of(flags.as_deref())?;
                self.keeps = false;
                self.note(Action::Keep { flags })
            }
            CommandKind::Discard => {
                self.keeps = false;
                Ok(())
            }
            CommandKind::FileInto { mailbox, flags, is_copy, may_create, special_use } => {
                let mailbox = self.text(mailbox)?;
                if mailbox.is_empty() || mailbox.len() > 1_000 || mailbox.contains(char::is_control) {
                    return Err(RunFault::BadValue(mailbox));
                }
                let flags = self.flags_of(flags.as_deref())?;
                self.keeps &= *is_copy;
                let special_use = special_use.as_ref().map(|text| self.text(text)).transpose()?;
                self.note(Action::FileInto { mailbox, flags, may_create: *may_create, special_use })
            }
            CommandKind::Redirect { address, is_copy } => {
                let address = self.text(address)?;
                if address.parse::<EmailAddress>().is_err() {
                    return Err(RunFault::BadValue(address));
                }
                self.keeps &= *is_copy;
                self.note(Action::Redirect { address })
            }
            CommandKind::Reject { reason, is_early } => {
                let reason = self.text(reason)?;
                self.keeps = false;
                self.note(Action::Reject { reason, is_early: *is_early })
            }
            CommandKind::Vacation(vacation) => self.vacation(vacation),
            _ => Ok(()),
        }
    }

    fn flags_of(&mut self, flags: Option<&[Text]>) -> Result<Vec<String>, RunFault> {
        match flags {
            Some(flags) => Ok(flag_names(&self.texts(flags)?)),
            None => Ok(self.flags.clone()),
        }
    }

    fn vacation(&mut self, vacation: &Vacation) -> Result<(), RunFault> {
        if self.actions.iter().any(|action| matches!(action, Action::Vacation(_))) {
            return Err(RunFault::SecondVacation);
        }
        let mut one = |text: &Option<Text>| text.as_ref().map(|text| self.text(text)).transpose();
        let (subject, from, handle) = (one(&vacation.subject)?, one(&vacation.from)?, one(&vacation.handle)?);
        let answer = VacationAnswer {
            reason: self.text(&vacation.reason)?,
            subject,
            from,
            addresses: self.texts(&vacation.addresses)?,
            seconds: vacation.seconds,
            is_mime: vacation.is_mime,
            handle,
        };
        self.note(Action::Vacation(answer))
    }

    /// Adds an action; the same twice is one (RFC 5228 §2.10.3).
    fn note(&mut self, action: Action) -> Result<(), RunFault> {
        let is_reject = |action: &Action| matches!(action, Action::Reject { .. });
        // RFC 5429 §2.4: what is refused is neither kept nor sent on nor answered.
        if !self.actions.is_empty() && self.actions.iter().any(is_reject) != is_reject(&action) {
            return Err(RunFault::Incompatible);
        }
        let is_same = |known: &Action| match (known, &action) {
            (Action::Keep { .. }, Action::Keep { .. }) | (Action::Reject { .. }, Action::Reject { .. }) => {
                true
            }
            (Action::FileInto { mailbox: a, .. }, Action::FileInto { mailbox: b, .. }) => a == b,
            (Action::Redirect { address: a }, Action::Redirect { address: b }) => a.eq_ignore_ascii_case(b),
            _ => false,
        };
        if self.actions.iter().any(is_same) {
            return Ok(());
        }
        let redirects = self.actions.iter().filter(|a| matches!(a, Action::Redirect { .. })).count();
        let is_redirect = matches!(action, Action::Redirect { .. });
        if self.actions.len() >= self.limits.actions || (is_redirect && redirects >= self.limits.redirects) {
            return Err(RunFault::TooManyActions);
        }
        self.actions.push(action);
        Ok(())
    }
}
