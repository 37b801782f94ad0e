//! Runs a script over a message (RFC 5228 §2.10).

mod actions;
mod conditions;

use crate::{
    ast::{Command, CommandKind, FlagChange, Modifier},
    lexer::Place,
    mail::Mail,
    matching::Captures,
    text::{Piece, Text},
};
use std::{collections::HashMap, fmt};

/// How much a run may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commands, tests and pieces of comparing.
    pub steps: usize,
    /// Bytes of all variables.
    pub memory_bytes: usize,
    /// Actions (RFC 5228 §2.10.4).
    pub actions: usize,
    /// Addresses that a message is redirected to.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 2_000_000, memory_bytes: 256 * 1024, actions: 32, redirects: 4 }
    }
}

/// What a script wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Keep the message in the inbox, with these flags.
    Keep {
        /// Flags and keywords, as a client would store them.
        flags: Vec<String>,
    },
    /// File it into a mailbox.
    FileInto {
        /// The mailbox's name.
        mailbox: String,
        /// Flags and keywords.
        flags: Vec<String>,
        /// Whether the mailbox may be made when there is none.
        may_create: bool,
        /// The use of the mailbox that comes first, when there is one (RFC 8579 §4), such as `\Trash`.
        special_use: Option<String>,
    },
    /// Send it on to an address.
    Redirect {
        /// The address.
        address: String,
    },
    /// Refuse it (RFC 5429).
    Reject {
        /// The words for the sender.
        reason: String,
        /// Whether it must be refused in the SMTP conversation, never by a message.
        is_early: bool,
    },
    /// Answer that the owner is away (RFC 5230); whether an answer is due is for the caller to find out.
    Vacation(VacationAnswer),
}

/// An answer in absence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VacationAnswer {
    /// The words, or with `is_mime` a MIME entity.
    pub reason: String,
    /// The subject, when the script names one.
    pub subject: Option<String>,
    /// The author, when the script names one.
    pub from: Option<String>,
    /// Further addresses of the owner.
    pub addresses: Vec<String>,
    /// For how long the same sender gets no second answer.
    pub seconds: Option<u64>,
    /// Whether `reason` is a MIME entity.
    pub is_mime: bool,
    /// What tells answers apart; made of the rest when absent.
    pub handle: Option<String>,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What is to be done, in its order. Empty means: discard.
    pub actions: Vec<Action>,
    /// Why the run was broken off, and at which line; the message is kept then.
    pub fault: Option<(u32, RunFault)>,
}

/// Why a run was broken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunFault {
    /// The budget of steps is spent.
    TooLong,
    /// Variables hold too much.
    TooMuchMemory,
    /// More actions or redirects than allowed.
    TooManyActions,
    /// Actions that exclude each other, such as `reject` and `keep` (RFC 5429 §2.4).
    Incompatible,
    /// A second `vacation` (RFC 5230 §4.7).
    SecondVacation,
    /// What a variable made of an address or of a mailbox's name is none.
    BadValue(String),
}

impl fmt::Display for RunFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the script took too long"),
            Self::TooMuchMemory => f.write_str("the script's variables are too large"),
            Self::TooManyActions => f.write_str("the script wants too much done"),
            Self::Incompatible => f.write_str("the script's actions exclude each other"),
            Self::SecondVacation => f.write_str("the script answers twice"),
            Self::BadValue(value) => write!(f, "{value:?} cannot be used"),
        }
    }
}

/// Steps that are left.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn step(&mut self, steps: usize) -> Result<(), RunFault> {
        self.0 = self.0.checked_sub(steps).ok_or(RunFault::TooLong)?;
        Ok(())
    }
}

/// Whether commands go on.
#[derive(PartialEq, Eq)]
enum Flow {
    On,
    Stop,
}

/// The state of a run.
struct Run<'m, 'r> {
    mail: &'r Mail<'m>,
    limits: &'r Limits,
    budget: Budget,
    variables: HashMap<String, String>,
    memory: usize,
    captures: Captures,
    /// The flags of RFC 5232 §2 that actions without `:flags` take.
    flags: Vec<String>,
    actions: Vec<Action>,
    /// Whether the message is kept unless something else is done with it.
    keeps: bool,
    place: Place,
}

/// No variable is longer (RFC 5229 §3 asks for 4000 characters).
const LONGEST_VALUE: usize = 16 * 1024;

pub(crate) fn run(commands: &[Command], mail: &Mail<'_>, limits: &Limits) -> Outcome {
    let mut run = Run {
        mail,
        limits,
        budget: Budget(limits.steps),
        variables: HashMap::new(),
        memory: 0,
        captures: Vec::new(),
        flags: Vec::new(),
        actions: Vec::new(),
        keeps: true,
        place: Place::default(),
    };
    let fault = run.commands(commands).err().map(|fault| (run.place.line, fault));
    run.finish(fault)
}

impl Run<'_, '_> {
    fn finish(mut self, fault: Option<(u32, RunFault)>) -> Outcome {
        // RFC 5228 §2.10.6: after a fault the message is kept, unless it was put somewhere.
        if fault.is_some() {
            self.actions.retain(|action| matches!(action, Action::Keep { .. } | Action::FileInto { .. }));
            self.keeps = self.actions.is_empty();
        }
        if self.keeps {
            self.actions.push(Action::Keep { flags: std::mem::take(&mut self.flags) });
        }
        Outcome { actions: self.actions, fault }
    }

    fn commands(&mut self, commands: &[Command]) -> Result<Flow, RunFault> {
        for command in commands {
            self.place = command.place;
            self.budget.step(1)?;
            if self.command(&command.kind)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }

    fn command(&mut self, command: &CommandKind) -> Result<Flow, RunFault> {
        match command {
            CommandKind::Stop => return Ok(Flow::Stop),
            CommandKind::If(branches) => {
                for (test, block) in branches {
                    let is_taken = match test {
                        Some(test) => self.test(test)?,
                        None => true,
                    };
                    if is_taken {
                        return self.commands(block);
                    }
                }
            }
            CommandKind::Set { name, modifiers, value } => {
                let value = self.text(value)?;
                let value = modified(value, modifiers);
                self.assign(name, value)?;
            }
            CommandKind::Flags { change, variable, flags } => {
                self.change_flags(*change, variable.as_deref(), flags)?
            }
            action => self.action(action)?,
        }
        Ok(Flow::On)
    }

    /// A string with its variables filled in; one that was never set is empty.
    fn text(&mut self, text: &Text) -> Result<String, RunFault> {
        let mut out = String::new();
        for piece in &text.0 {
            match piece {
                Piece::Plain(plain) => out.push_str(plain),
                Piece::Variable(name) => out.push_str(self.variables.get(name).map_or("", String::as_str)),
                Piece::Match(number) => out.push_str(self.captures.get(*number).map_or("", String::as_str)),
            }
            self.budget.step(1 + out.len() / 256)?;
            if out.len() > self.limits.memory_bytes {
                return Err(RunFault::TooMuchMemory);
            }
        }
        Ok(out)
    }

    fn texts(&mut self, texts: &[Text]) -> Result<Vec<String>, RunFault> {
        let mut all = 0;
        let mut out = Vec::with_capacity(texts.len());
        for text in texts {
            let text = self.text(text)?;
            all += text.len();
            // A script's own strings are no longer than the script.
            if all > self.limits.memory_bytes + crate::MAX_SCRIPT_BYTES {
                return Err(RunFault::TooMuchMemory);
            }
            out.push(text);
        }
        Ok(out)
    }

    fn assign(&mut self, name: &str, mut value: String) -> Result<(), RunFault> {
        let mut end = value.len().min(LONGEST_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        value.truncate(end);
        let before = self.variables.get(name).map_or(0, |old| old.len() + name.len());
        self.memory = self.memory - before + name.len() + value.len();
        if self.memory > self.limits.memory_bytes {
            return Err(RunFault::TooMuchMemory);
        }
        self.variables.insert(name.to_owned(), value);
        Ok(())
    }

    /// RFC 5232 §3: the flags of a variable, or those that actions take.
    fn change_flags(
        &mut self,
        change: FlagChange,
        variable: Option<&str>,
        flags: &[Text],
    ) -> Result<(), RunFault> {
        let given = flag_names(&self.texts(flags)?);
        let mut all = match variable {
            Some(name) => flag_names(self.variables.get(name).map(std::slice::from_ref).unwrap_or_default()),
            None => std::mem::take(&mut self.flags),
        };
        self.budget.step(given.len().saturating_mul(all.len() + 1))?;
        let is_in =
            |list: &[String], flag: &String| list.iter().any(|known| known.eq_ignore_ascii_case(flag));
        match change {
            FlagChange::Set => all = given,
            FlagChange::Add => {
                for flag in given {
                    if !is_in(&all, &flag) {
                        all.push(flag);
                    }
                }
                all.truncate(MOST_FLAGS);
            }
            FlagChange::Remove => all.retain(|flag| !is_in(&given, flag)),
        }
        match variable {
            Some(name) => self.assign(name, all.join(" ")),
            None => {
                self.flags = all;
                Ok(())
            }
        }
    }
}

/// Flags on one message.
const MOST_FLAGS: usize = 64;

/// The flags that strings name, several in one apart by blanks (RFC 5232 §2), each once.
fn flag_names(texts: &[String]) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    for flag in texts.iter().flat_map(|text| text.split_ascii_whitespace()) {
        // RFC 9051 §9 flag: an atom, one of the system's behind a backslash.
        let atom = flag.strip_prefix('\\').unwrap_or(flag);
        let is_flag = !atom.is_empty()
            && atom.len() <= 100
            && atom.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b));
        if is_flag && flags.len() < MOST_FLAGS && !flags.iter().any(|known| known.eq_ignore_ascii_case(flag))
        {
            flags.push(flag.to_owned());
        }
    }
    flags
}

fn modified(value: String, modifiers: &[Modifier]) -> String {
    let first = |value: String, change: fn(char) -> String| {
        let mut chars = value.chars();
        chars.next().map_or_else(String::new, |c| change(c) + chars.as_str())
    };
    modifiers.iter().fold(value, |value, modifier| match modifier {
        Modifier::Lower => value.to_lowercase(),
        Modifier::Upper => value.to_uppercase(),
        Modifier::LowerFirst => first(value, |c| c.to_lowercase().collect()),
        Modifier::UpperFirst => first(value, |c| c.to_uppercase().collect()),
        Modifier::QuoteWildcard => {
            let mut out = String::with_capacity(value.len());
            for c in value.chars() {
                if matches!(c, '*' | '?' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
            out
        }
        Modifier::Length => value.chars().count().to_string(),
    })
}
