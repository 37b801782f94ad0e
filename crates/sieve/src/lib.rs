//! Sieve (RFC 5228): a script is read once, with faults told by line and column, and run over a message; what it wants done comes
//! back as values. Pure: nothing is delivered, sent or looked up here.
//!
//! INVARIANT: a script that parses never panics and always ends: it has no loops, and the budget of steps and memory of
//! [`Limits`] ends what variables and patterns could make long (`tests/all/hostile.rs`). A run that fails keeps the message
//! (RFC 5228 §2.10.6).

mod ast;
mod check;
mod date;
mod fault;
mod lexer;
mod mail;
mod matching;
mod parser;
mod rules;
mod run;
mod text;

pub use check::EXTENSIONS;
pub use fault::{Fault, ScriptError};
pub use mail::Mail;
pub use rules::{Condition, Field, FilterRule, How, Join, RuleAction, RuleFault, read_rules, write_rules};
pub use run::{Action, Limits, Outcome, RunFault, VacationAnswer};

/// A script that was read and found right.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    commands: Vec<ast::Command>,
}

/// No script is longer.
pub const MAX_SCRIPT_BYTES: usize = 256 * 1024;

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// All faults that were found, in their order; of syntax, which hides what follows, the first.
    pub fn parse(text: &str) -> Result<Self, Vec<ScriptError>> {
        if text.len() > MAX_SCRIPT_BYTES {
            return Err(vec![ScriptError { line: 1, column: 1, fault: Fault::TooLong }]);
        }
        let parsed = parser::parse(text).map_err(|error| vec![error])?;
        check::check(&parsed).map(|commands| Self { commands })
    }

    /// Runs the script over a message.
    #[must_use]
    pub fn run(&self, mail: &Mail<'_>, limits: &Limits) -> Outcome {
        run::run(&self.commands, mail, limits)
    }
}
