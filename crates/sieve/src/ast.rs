//! A script as it is run.

use crate::{lexer::Place, text::Text};

/// A command and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    pub(crate) place: Place,
    pub(crate) kind: CommandKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CommandKind {
    /// Tests with their blocks in turn; `else` has no test.
    If(Vec<(Option<Test>, Vec<Command>)>),
    Stop,
    Keep {
        flags: Option<Vec<Text>>,
    },
    Discard,
    FileInto {
        mailbox: Text,
        flags: Option<Vec<Text>>,
        is_copy: bool,
        may_create: bool,
        special_use: Option<Text>,
    },
    Redirect {
        address: Text,
        is_copy: bool,
    },
    /// RFC 5429: whether it must be refused while the sender is still connected, and why.
    Reject {
        reason: Text,
        is_early: bool,
    },
    Vacation(Box<Vacation>),
    Set {
        name: String,
        modifiers: Vec<Modifier>,
        value: Text,
    },
    Flags {
        change: FlagChange,
        variable: Option<String>,
        flags: Vec<Text>,
    },
}

/// RFC 5232 §3
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagChange {
    Set,
    Add,
    Remove,
}

/// RFC 5229 §4.1, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Modifier {
    Lower,
    Upper,
    LowerFirst,
    UpperFirst,
    QuoteWildcard,
    Length,
}

/// RFC 5230 §4
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vacation {
    pub(crate) reason: Text,
    pub(crate) subject: Option<Text>,
    pub(crate) from: Option<Text>,
    pub(crate) addresses: Vec<Text>,
    pub(crate) seconds: Option<u64>,
    pub(crate) is_mime: bool,
    pub(crate) handle: Option<Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Always(bool),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Exists(Vec<Text>),
    Size {
        is_over: bool,
        bytes: u64,
    },
    Header {
        headers: Vec<Text>,
        index: Index,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    Address {
        headers: Vec<Text>,
        index: Index,
        part: AddressPart,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    Envelope {
        parts: Vec<Text>,
        part: AddressPart,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    Body {
        of: BodyOf,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    Strings {
        sources: Vec<Text>,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    HasFlag {
        variables: Vec<Text>,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    Date {
        header: Option<Text>,
        index: Index,
        zone: Zone,
        part: DatePart,
        matcher: Matcher,
        keys: Vec<Text>,
    },
    MailboxExists(Vec<Text>),
    /// RFC 8579 §3: in this mailbox, or in any.
    SpecialUseExists {
        mailbox: Option<Text>,
        uses: Vec<Text>,
    },
    /// Ours: whether there is an attachment.
    HasAttachment,
}

/// RFC 5260 §6: which of several fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Index {
    /// From 1; of all when absent.
    pub(crate) number: Option<u64>,
    pub(crate) from_last: bool,
}

/// RFC 5228 §2.7.4, RFC 5233 §4
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AddressPart {
    #[default]
    All,
    LocalPart,
    Domain,
    User,
    Detail,
}

/// RFC 5173 §5
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BodyOf {
    Raw,
    Text,
    Content(Vec<Text>),
}

/// RFC 5260 §4.1
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Minutes east of UTC.
    Minutes(i32),
    /// That of the field.
    Original,
    /// Ours.
    Local,
}

/// RFC 5260 §4.2
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    Year,
    Month,
    Day,
    Date,
    Julian,
    Hour,
    Minute,
    Second,
    Time,
    Iso8601,
    Std11,
    Zone,
    Weekday,
}

/// How a value is compared with keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Matcher {
    pub(crate) comparator: Comparator,
    pub(crate) kind: MatchKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Comparator {
    Octet,
    #[default]
    AsciiCasemap,
    /// RFC 4790 §9.1
    AsciiNumeric,
    /// RFC 5051
    UnicodeCasemap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum MatchKind {
    #[default]
    Is,
    Contains,
    Matches,
    /// RFC 5231 §4.1
    Value(Relation),
    /// RFC 5231 §4.2
    Count(Relation),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
}

impl Relation {
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
        }
    }
}
