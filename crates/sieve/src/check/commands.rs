//! Commands: actions and what prepares them.

use super::{
    Checked, Checker,
    arguments::{Arguments, once},
};
use crate::{
    ast::{Command, CommandKind, FlagChange, Modifier, Vacation},
    fault::Fault,
    parser::Node,
    text::{Text, is_variable_name},
};
use congvu_types::EmailAddress;

impl Checker {
    pub(super) fn command(&mut self, node: &Node) -> Checked<Command> {
        let place = node.place;
        if let Some(test) = node.tests.first() {
            return self.fault(test.place, Fault::Expected(";"));
        }
        if node.block.is_some() {
            return self.fault(place, Fault::Expected("; instead of a block"));
        }
        let mut arguments = Arguments::of(node);
        let kind = match node.name.as_str() {
            "stop" => CommandKind::Stop,
            "discard" => CommandKind::Discard,
            "keep" => self.keep(&mut arguments)?,
            "fileinto" => self.file_into(&mut arguments)?,
            "redirect" => self.redirect(&mut arguments)?,
            "reject" => self.reject(&mut arguments, "reject", false)?,
            "ereject" => self.reject(&mut arguments, "ereject", true)?,
            "vacation" => self.vacation(&mut arguments)?,
            "set" => self.set(&mut arguments)?,
            "setflag" => self.flags(&mut arguments, FlagChange::Set)?,
            "addflag" => self.flags(&mut arguments, FlagChange::Add)?,
            "removeflag" => self.flags(&mut arguments, FlagChange::Remove)?,
            "require" => return self.fault(place, Fault::LateRequire),
            other => return self.fault(place, Fault::UnknownCommand(other.to_owned())),
        };
        arguments.end(self)?;
        Ok(Command { place, kind })
    }

    /// `keep [":flags" <list-of-flags: string-list>]` (RFC 5232 §5)
    fn keep(&mut self, arguments: &mut Arguments<'_>) -> Checked<CommandKind> {
        let mut flags = None;
        while let Some((place, tag)) = arguments.tag() {
            match tag {
                "flags" => {
                    self.needs("imap4flags", place)?;
                    let list = arguments.strings(self, "flags")?;
                    once(self, &mut flags, list, place, tag)?;
                }
                _ => return self.fault(place, Fault::UnknownTag(tag.to_owned())),
            }
        }
        Ok(CommandKind::Keep { flags })
    }

    /// `fileinto <mailbox: string>` (RFC 5228 §4.1) with `:copy` (RFC 3894), `:flags`, `:create` (RFC 5490 §3.2) and
    /// `:specialuse` (RFC 8579 §4)
    fn file_into(&mut self, arguments: &mut Arguments<'_>) -> Checked<CommandKind> {
        self.needs("fileinto", arguments.place)?;
        let (mut flags, mut copy, mut create, mut special_use) = (None, None, None, None);
        while let Some((place, tag)) = arguments.tag() {
            match tag {
                "flags" => {
                    self.needs("imap4flags", place)?;
                    let list = arguments.strings(self, "flags")?;
                    once(self, &mut flags, list, place, tag)?;
                }
                "copy" => {
                    self.needs("copy", place)?;
                    once(self, &mut copy, (), place, tag)?;
                }
                "specialuse" => {
                    self.needs("special-use", place)?;
                    let (_, value) = arguments.string(self, "a use such as \\Trash")?;
                    once(self, &mut special_use, value, place, tag)?;
                }
                "create" => {
                    self.needs("mailbox", place)?;
                    once(self, &mut create, (), place, tag)?;
                }
                _ => return self.fault(place, Fault::UnknownTag(tag.to_owned())),
            }
        }
        let (place, mailbox) = arguments.string(self, "the name of a mailbox")?;
        if mailbox.constant().is_some_and(|name| name.is_empty() || name.len() > 1_000) {
            return self.fault(place, Fault::BadValue(mailbox.constant().unwrap_or_default().to_owned()));
        }
        Ok(CommandKind::FileInto {
            mailbox,
            flags,
            is_copy: copy.is_some(),
            may_create: create.is_some(),
            special_use,
        })
    }

    /// `redirect <address: string>` (RFC 5228 §4.2)
    fn redirect(&mut self, arguments: &mut Arguments<'_>) -> Checked<CommandKind> {
        let mut copy = None;
        while let Some((place, tag)) = arguments.tag() {
            match tag {
                "copy" => {
                    self.needs("copy", place)?;
                    once(self, &mut copy, (), place, tag)?;
                }
                _ => return self.fault(place, Fault::UnknownTag(tag.to_owned())),
            }
        }
        let (place, address) = arguments.string(self, "an address")?;
        if let Some(constant) = address.constant()
            && constant.parse::<EmailAddress>().is_err()
        {
            return self.fault(place, Fault::BadAddress(constant.to_owned()));
        }
        Ok(CommandKind::Redirect { address, is_copy: copy.is_some() })
    }

    /// `reject <reason: string>` (RFC 5429 §2)
    fn reject(
        &mut self,
        arguments: &mut Arguments<'_>,
        extension: &'static str,
        is_early: bool,
    ) -> Checked<CommandKind> {
        self.needs(extension, arguments.place)?;
        let (_, reason) = arguments.string(self, "a reason")?;
        Ok(CommandKind::Reject { reason, is_early })
    }

    /// `vacation [":days" number] [":subject" string] [":from" string] [":addresses" string-list] [":mime"] [":handle" string]
    /// <reason: string>` (RFC 5230 §4), `:seconds` (RFC 6131 §2)
    fn vacation(&mut self, arguments: &mut Arguments<'_>) -> Checked<CommandKind> {
        self.needs("vacation", arguments.place)?;
        let (mut seconds, mut subject, mut from, mut addresses, mut mime, mut handle) =
            (None, None, None, None, None, None);
        while let Some((place, tag)) = arguments.tag() {
            match tag {
                "days" => {
                    let (_, days) = arguments.number(self, "a number of days")?;
                    // §4.1: at least one day; a longest one is ours to choose.
                    once(self, &mut seconds, days.clamp(1, 365) * 86_400, place, tag)?;
                }
                "seconds" => {
                    self.needs("vacation-seconds", place)?;
                    let (_, number) = arguments.number(self, "a number of seconds")?;
                    once(self, &mut seconds, number.min(365 * 86_400), place, tag)?;
                }
                "subject" => {
                    let value = arguments.string(self, "a subject")?.1;
                    once(self, &mut subject, value, place, tag)?;
                }
                "from" => {
                    let (at, address) = arguments.string(self, "an address")?;
                    if let Some(constant) = address.constant()
                        && !is_mailbox(constant)
                    {
                        return self.fault(at, Fault::BadAddress(constant.to_owned()));
                    }
                    once(self, &mut from, address, place, tag)?;
                }
                "addresses" => {
                    let value = arguments.strings(self, "addresses")?;
                    once(self, &mut addresses, value, place, tag)?;
                }
                "mime" => once(self, &mut mime, (), place, tag)?,
                "handle" => {
                    let value = arguments.string(self, "a name")?.1;
                    once(self, &mut handle, value, place, tag)?;
                }
                _ => return self.fault(place, Fault::UnknownTag(tag.to_owned())),
            }
        }
        let (_, reason) = arguments.string(self, "a reason")?;
        Ok(CommandKind::Vacation(Box::new(Vacation {
            reason,
            subject,
            from,
            addresses: addresses.unwrap_or_default(),
            seconds,
            is_mime: mime.is_some(),
            handle,
        })))
    }

    /// `set [MODIFIER] <name: string> <value: string>` (RFC 5229 §4)
    fn set(&mut self, arguments: &mut Arguments<'_>) -> Checked<CommandKind> {
        self.needs("variables", arguments.place)?;
        let mut modifiers = Vec::new();
        while let Some((place, tag)) = arguments.tag() {
            let modifier = match tag {
                "lower" => Modifier::Lower,
                "upper" => Modifier::Upper,
                "lowerfirst" => Modifier::LowerFirst,
                "upperfirst" => Modifier::UpperFirst,
                "quotewildcard" => Modifier::QuoteWildcard,
                "length" => Modifier::Length,
                _ => return self.fault(place, Fault::UnknownTag(tag.to_owned())),
            };
            // §4.1: two of the same precedence exclude each other.
            let clashes = |other: &Modifier| match modifier {
                Modifier::Lower | Modifier::Upper => matches!(other, Modifier::Lower | Modifier::Upper),
                Modifier::LowerFirst | Modifier::UpperFirst => {
                    matches!(other, Modifier::LowerFirst | Modifier::UpperFirst)
                }
                _ => *other == modifier,
            };
            if modifiers.iter().any(clashes) {
                return self.fault(place, Fault::SecondTag(tag.to_owned()));
            }
            modifiers.push(modifier);
        }
        modifiers.sort_unstable();
        let name = self.variable(arguments)?;
        let (_, value) = arguments.string(self, "a value")?;
        Ok(CommandKind::Set { name, modifiers, value })
    }

    /// The name of a variable that is changed: no other variable, no number.
    fn variable(&mut self, arguments: &mut Arguments<'_>) -> Checked<String> {
        let (place, name) = arguments.word(self, "the name of a variable")?;
        if !is_variable_name(name) {
            return self.fault(place, Fault::BadVariable(name.to_owned()));
        }
        Ok(name.to_ascii_lowercase())
    }

    /// `setflag [<variablename: string>] <list-of-flags: string-list>` (RFC 5232 §3)
    fn flags(&mut self, arguments: &mut Arguments<'_>, change: FlagChange) -> Checked<CommandKind> {
        self.needs("imap4flags", arguments.place)?;
        let mut variable = None;
        if arguments.has_two() {
            self.needs("variables", arguments.place)?;
            variable = Some(self.variable(arguments)?);
        }
        let flags: Vec<Text> = arguments.strings(self, "flags")?;
        Ok(CommandKind::Flags { change, variable, flags })
    }
}

/// Whether this is one mailbox, with a name or without.
fn is_mailbox(text: &str) -> bool {
    congvu_message::mailbox_list(text.as_bytes()).is_some_and(|list| list.len() == 1)
        || text.parse::<EmailAddress>().is_ok()
}
