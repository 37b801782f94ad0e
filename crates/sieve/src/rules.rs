//! Rules as a person makes them in a form, and the script that does them. What [`write_rules`] wrote, [`read_rules`] reads back;
//! every other script is shown as text.

mod read;

pub use read::read_rules;

use congvu_types::EmailAddress;
use std::{collections::BTreeSet, fmt::Write as _};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRule {
    /// Its name: one line.
    pub name: String,
    /// Whether it is in use.
    pub is_on: bool,
    /// How its conditions are joined; of no conditions, all hold.
    pub join: Join,
    /// When it is done.
    pub conditions: Vec<Condition>,
    /// What is done.
    pub actions: Vec<RuleAction>,
}

/// How conditions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// All must hold.
    All,
    /// One is enough.
    Any,
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// What a field or the text says, in any case of letters.
    Says {
        /// Where to look.
        field: Field,
        /// How.
        how: How,
        /// For what.
        words: String,
    },
    /// How large the message is.
    Size {
        /// Whether it must be larger, or smaller.
        is_over: bool,
        /// Than this.
        bytes: u64,
    },
    /// Whether there is an attachment.
    HasAttachment,
}

/// Where a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The authors, names and addresses.
    From,
    /// The recipients in `To` and `Cc`.
    To,
    /// The subject.
    Subject,
    /// All text.
    Body,
}

/// How a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The words are in it.
    Contains,
    /// The words are not in it.
    Lacks,
    /// It is just these words; of people, an address.
    Is,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleAction {
    /// File the message into a mailbox.
    MoveTo(String),
    /// Give it a label: a keyword.
    Label(String),
    /// Mark it as read.
    MarkRead,
    /// Star it.
    Star,
    /// Send it on and keep it.
    Forward(String),
    /// File it into the trash.
    Delete,
    /// Pass over the rules behind this one.
    Stop,
}

/// Why rules cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleFault {
    /// More rules, conditions or actions than allowed, or longer words.
    TooMuch,
    /// A rule without a name.
    NoName,
    /// A rule that does nothing.
    NoAction,
    /// A condition or an action without words, or with control characters.
    BadWords,
    /// A label that no keyword can be.
    BadLabel,
    /// An address to forward to that is none.
    BadAddress,
    /// An address that mail may not be forwarded to.
    ForwardRefused,
}

const MOST_RULES: usize = 200;
const MOST_OF_A_RULE: usize = 50;
const LONGEST: usize = 500;

/// Returns the script that does these rules. `may_forward` says of an address whether mail may be forwarded to it.
///
/// # Errors
///
/// The place of the first rule that cannot be written, and why.
pub fn write_rules(
    rules: &[FilterRule],
    may_forward: &dyn Fn(&EmailAddress) -> bool,
) -> Result<String, (usize, RuleFault)> {
    if rules.len() > MOST_RULES {
        return Err((MOST_RULES, RuleFault::TooMuch));
    }
    for (place, rule) in rules.iter().enumerate() {
        check(rule, may_forward).map_err(|fault| (place, fault))?;
    }
    let text = print(rules);
    if text.len() > crate::MAX_SCRIPT_BYTES {
        return Err((rules.len().saturating_sub(1), RuleFault::TooMuch));
    }
    Ok(text)
}

fn check(rule: &FilterRule, may_forward: &dyn Fn(&EmailAddress) -> bool) -> Result<(), RuleFault> {
    let words = |text: &str| match text {
        "" => Err(RuleFault::BadWords),
        long if long.len() > LONGEST => Err(RuleFault::TooMuch),
        odd if odd.contains(char::is_control) => Err(RuleFault::BadWords),
        _ => Ok(()),
    };
    if rule.name.trim() != rule.name || rule.name.is_empty() {
        return Err(RuleFault::NoName);
    }
    words(&rule.name)?;
    if rule.actions.is_empty() {
        return Err(RuleFault::NoAction);
    }
    if rule.conditions.len() > MOST_OF_A_RULE || rule.actions.len() > MOST_OF_A_RULE {
        return Err(RuleFault::TooMuch);
    }
    for condition in &rule.conditions {
        match condition {
            Condition::Says { words: said, .. } => words(said)?,
            // As much as a script's number holds.
            Condition::Size { bytes, .. } if *bytes > 1 << 42 => return Err(RuleFault::TooMuch),
            Condition::Size { .. } | Condition::HasAttachment => {}
        }
    }
    for action in &rule.actions {
        match action {
            RuleAction::MoveTo(mailbox) => words(mailbox)?,
            RuleAction::Label(label) => {
                words(label)?;
                let is_atom = label.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b));
                if !is_atom || label.len() > 100 {
                    return Err(RuleFault::BadLabel);
                }
            }
            RuleAction::Forward(address) => {
                let address = address.parse().map_err(|_| RuleFault::BadAddress)?;
                if !may_forward(&address) {
                    return Err(RuleFault::ForwardRefused);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The comparator that people expect: case does not matter, in Vietnamese neither.
const FOLDED: &str = ":comparator \"i;unicode-casemap\"";

/// Writes rules that were checked, always in the same words.
fn print(rules: &[FilterRule]) -> String {
    let mut needs = BTreeSet::new();
    let mut body = String::new();
    for rule in rules {
        let tests: Vec<String> = rule.conditions.iter().map(|c| condition(c, &mut needs)).collect();
        let join = if rule.join == Join::All { "allof" } else { "anyof" };
        let mut test = match tests.as_slice() {
            [] => "true".to_owned(),
            tests => format!("{join} (\n    {}\n)", tests.join(",\n    ")),
        };
        if !rule.is_on {
            test = format!("allof (false, {test})");
        }
        let _ = write!(body, "\n# rule: {}\nif {test} {{\n", rule.name);
        for action in &rule.actions {
            let _ = writeln!(body, "    {};", action_text(action, &mut needs));
        }
        body.push_str("}\n");
    }
    let needs: Vec<String> = needs.into_iter().map(quoted).collect();
    let require = if needs.is_empty() { String::new() } else { format!("require [{}];\n", needs.join(", ")) };
    format!("{require}{body}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn condition(condition: &Condition, needs: &mut BTreeSet<&'static str>) -> String {
    match condition {
        Condition::Size { is_over, bytes } => {
            format!("size {} {bytes}", if *is_over { ":over" } else { ":under" })
        }
        Condition::HasAttachment => {
            needs.insert("vnd.congvu.attachment");
            "attachment".to_owned()
        }
        Condition::Says { field, how, words } => {
            needs.insert("comparator-i;unicode-casemap");
            let not = if *how == How::Lacks { "not " } else { "" };
            let kind = if *how == How::Is { ":is" } else { ":contains" };
            let test = match (field, how) {
                (Field::From, How::Is) => format!("address {FOLDED} {kind} \"from\""),
                (Field::To, How::Is) => format!("address {FOLDED} {kind} [\"to\", \"cc\"]"),
                (Field::From, _) => format!("header {FOLDED} {kind} \"from\""),
                (Field::To, _) => format!("header {FOLDED} {kind} [\"to\", \"cc\"]"),
                (Field::Subject, _) => format!("header {FOLDED} {kind} \"subject\""),
                (Field::Body, _) => {
                    needs.insert("body");
                    format!("body {FOLDED} {kind} :text")
                }
            };
            format!("{not}{test} {}", quoted(words))
        }
    }
}

fn action_text(action: &RuleAction, needs: &mut BTreeSet<&'static str>) -> String {
    match action {
        RuleAction::MoveTo(mailbox) => {
            needs.insert("fileinto");
            format!("fileinto {}", quoted(mailbox))
        }
        RuleAction::Label(label) => {
            needs.insert("imap4flags");
            format!("addflag {}", quoted(label))
        }
        RuleAction::MarkRead => {
            needs.insert("imap4flags");
            "addflag \"\\\\Seen\"".to_owned()
        }
        RuleAction::Star => {
            needs.insert("imap4flags");
            "addflag \"\\\\Flagged\"".to_owned()
        }
        RuleAction::Forward(address) => {
            needs.insert("copy");
            format!("redirect :copy {}", quoted(address))
        }
        // Official mail is not made to vanish: the trash can be looked through.
        RuleAction::Delete => {
            needs.extend(["fileinto", "special-use"]);
            "fileinto :specialuse \"\\\\Trash\" \"Trash\"".to_owned()
        }
        RuleAction::Stop => "stop".to_owned(),
    }
}

#[cfg(test)]
mod tests;
