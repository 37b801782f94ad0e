//! What is wrong with a script, and where.

use std::fmt;

/// A fault and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.fault)
    }
}

impl std::error::Error for ScriptError {}

/// What may be wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The script is longer than we read.
    TooLong,
    /// A character that begins nothing.
    Unexpected(char),
    /// Something else should stand here.
    Expected(&'static str),
    /// A comment that has no end.
    OpenComment,
    /// A string that has no end.
    OpenString,
    /// A number larger than 4 GiB.
    LargeNumber,
    /// Blocks, tests or lists within each other too deeply.
    TooDeep,
    /// More commands, tests or strings than we read.
    TooMany,
    /// No such command.
    UnknownCommand(String),
    /// No such test.
    UnknownTest(String),
    /// This command or test has no such tag.
    UnknownTag(String),
    /// A tag that was given twice, or another that excludes it.
    SecondTag(String),
    /// No such extension.
    UnknownExtension(String),
    /// An extension is used that `require` does not name.
    NotRequired(&'static str),
    /// `require` behind another command.
    LateRequire,
    /// `elsif` or `else` without `if`.
    LoneElse,
    /// No such comparator.
    UnknownComparator(String),
    /// The comparator cannot do this kind of match.
    UnfitComparator,
    /// A relation other than `gt`, `ge`, `lt`, `le`, `eq` and `ne`.
    UnknownRelation(String),
    /// A string that cannot be a value here.
    BadValue(String),
    /// An address that is none.
    BadAddress(String),
    /// A name of a variable that is none.
    BadVariable(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the script is too long"),
            Self::Unexpected(c) => write!(f, "unexpected {c:?}"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::OpenComment => f.write_str("the comment has no end"),
            Self::OpenString => f.write_str("the string has no end"),
            Self::LargeNumber => f.write_str("the number is too large"),
            Self::TooDeep => f.write_str("nested too deeply"),
            Self::TooMany => f.write_str("too many of them"),
            Self::UnknownCommand(name) => write!(f, "there is no command {name:?}"),
            Self::UnknownTest(name) => write!(f, "there is no test {name:?}"),
            Self::UnknownTag(name) => write!(f, ":{name} cannot stand here"),
            Self::SecondTag(name) => write!(f, ":{name} repeats or contradicts a tag before it"),
            Self::UnknownExtension(name) => write!(f, "there is no extension {name:?}"),
            Self::NotRequired(name) => write!(f, "this needs: require \"{name}\";"),
            Self::LateRequire => f.write_str("require must come before every other command"),
            Self::LoneElse => f.write_str("this needs an if before it"),
            Self::UnknownComparator(name) => write!(f, "there is no comparator {name:?}"),
            Self::UnfitComparator => f.write_str("this comparator cannot be used with this match"),
            Self::UnknownRelation(name) => write!(f, "{name:?} is none of gt, ge, lt, le, eq, ne"),
            Self::BadValue(value) => write!(f, "{value:?} cannot stand here"),
            Self::BadAddress(value) => write!(f, "{value:?} is not an address"),
            Self::BadVariable(value) => write!(f, "{value:?} is not the name of a variable"),
        }
    }
}
