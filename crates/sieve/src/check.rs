//! From what is written to what is run: names, tags and their values, and that `require` names what is used (RFC 5228 §3.2).

mod arguments;
mod commands;
mod conditions;

use crate::{
    ast::{Command, CommandKind},
    fault::{Fault, ScriptError},
    lexer::Place,
    parser::{Node, Value},
    text::{Meaning, Text},
};
use std::collections::BTreeSet;

/// The extensions that scripts may require, for the doors that list them (RFC 5804 §1.7, RFC 9661 §1.3).
pub const EXTENSIONS: &[&str] = &[
    "body",
    "comparator-i;ascii-casemap",
    "comparator-i;ascii-numeric",
    "comparator-i;octet",
    "comparator-i;unicode-casemap",
    "copy",
    "date",
    "encoded-character",
    "envelope",
    "ereject",
    "fileinto",
    "imap4flags",
    "index",
    "mailbox",
    "reject",
    "relational",
    "special-use",
    "subaddress",
    "vacation",
    "vacation-seconds",
    "variables",
    "vnd.congvu.attachment",
];

/// Faults that are told; more help nobody.
const MOST_FAULTS: usize = 50;

/// Reads the commands of a script.
pub(crate) fn check(nodes: &[Node]) -> Result<Vec<Command>, Vec<ScriptError>> {
    let mut checker = Checker { required: BTreeSet::new(), errors: Vec::new() };
    let requires = nodes.iter().take_while(|node| node.name == "require").count();
    let (requires, others) = nodes.split_at(requires);
    for node in requires {
        checker.require(node);
    }
    let commands = checker.block(others);
    if checker.errors.is_empty() { Ok(commands) } else { Err(checker.errors) }
}

/// What a script may use, and what was found wrong.
struct Checker {
    required: BTreeSet<&'static str>,
    errors: Vec<ScriptError>,
}

/// A fault was noted; what it was in is left out.
struct Faulty;

type Checked<T> = Result<T, Faulty>;

impl Checker {
    fn fault<T>(&mut self, place: Place, fault: Fault) -> Checked<T> {
        if self.errors.len() < MOST_FAULTS {
            self.errors.push(place.error(fault));
        }
        Err(Faulty)
    }

    /// Notes a fault unless this extension is required.
    fn needs(&mut self, extension: &'static str, place: Place) -> Checked<()> {
        if self.required.contains(extension) {
            return Ok(());
        }
        self.fault(place, Fault::NotRequired(extension))
    }

    fn require(&mut self, node: &Node) {
        let names = match node.arguments.as_slice() {
            [one] if node.tests.is_empty() && node.block.is_none() => match &one.value {
                Value::Strings(names) => names.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        if names.is_empty() {
            let _: Checked<()> = self.fault(node.place, Fault::Expected("the names of extensions"));
        }
        for name in names {
            // These two are always there (RFC 5228 §2.7.3).
            match EXTENSIONS.iter().find(|known| *known == name) {
                Some(known) => drop(self.required.insert(known)),
                None => {
                    let place = node.arguments.first().map_or(node.place, |a| a.place);
                    let _: Checked<()> = self.fault(place, Fault::UnknownExtension(name.clone()));
                }
            }
        }
    }

    fn meaning(&self) -> Meaning {
        Meaning {
            has_variables: self.required.contains("variables"),
            has_encoded: self.required.contains("encoded-character"),
        }
    }

    fn text(&mut self, place: Place, text: &str) -> Checked<Text> {
        Text::read(text, self.meaning()).or_else(|fault| self.fault(place, fault))
    }

    /// Reads commands; `elsif` and `else` belong to the `if` before them.
    fn block(&mut self, nodes: &[Node]) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        // Whether the command before was an `if` or `elsif`, faulty ones too.
        let mut after_if = false;
        for node in nodes {
            let is_branch = matches!(node.name.as_str(), "elsif" | "else");
            if is_branch && !after_if {
                let _: Checked<()> = self.fault(node.place, Fault::LoneElse);
                continue;
            }
            after_if = matches!(node.name.as_str(), "if" | "elsif");
            match node.name.as_str() {
                "if" | "elsif" | "else" => {
                    let Ok(branch) = self.branch(node) else { continue };
                    match commands.last_mut().map(|last| &mut last.kind) {
                        Some(CommandKind::If(branches)) if is_branch => branches.push(branch),
                        _ => {
                            commands.push(Command { place: node.place, kind: CommandKind::If(vec![branch]) })
                        }
                    }
                }
                _ => commands.extend(self.command(node).ok()),
            }
        }
        commands
    }

    fn branch(&mut self, node: &Node) -> Checked<(Option<crate::ast::Test>, Vec<Command>)> {
        let Some(block) = &node.block else {
            return self.fault(node.place, Fault::Expected("a block in braces"));
        };
        if let Some(argument) = node.arguments.first() {
            return self.fault(argument.place, Fault::Expected("a test"));
        }
        let test = match (node.name.as_str(), node.tests.as_slice()) {
            ("else", []) => Ok(None),
            ("else", [test, ..]) => self.fault(test.place, Fault::Expected("a block in braces")),
            (_, [test]) if !node.is_list => self.test(test).map(Some),
            (_, _) => self.fault(node.place, Fault::Expected("one test")),
        };
        // The block is read even so, for its own faults.
        let commands = self.block(block);
        Ok((test?, commands))
    }
}
