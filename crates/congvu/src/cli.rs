//! The command line: noun first, then verb (contract: every command takes `--json`; exit 0 done, 1 failed, 2 wrong
//! usage; errors on stderr in one sentence).

use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Congvu: official email for public agencies.
#[derive(Debug, Parser)]
#[command(name = "congvu", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The configuration file.
    #[arg(long, global = true, default_value = "congvu.toml", env = "CONGVU_CONFIG")]
    pub(crate) config: PathBuf,
    /// Answers in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server.
    Serve,
    /// Runs a sample agency on 127.0.0.1.
    Demo(DemoOptions),
    /// Creates or updates agencies, units, people, accounts and grants from a file.
    Apply {
        /// The fixture (TOML).
        #[arg(long)]
        file: PathBuf,
        /// Allows `password`, which need not be changed (test suites).
        #[arg(long)]
        allow_fixed_passwords: bool,
        /// Sets `password` also for people who have one already; theirs is lost and their sessions end.
        #[arg(long, requires = "allow_fixed_passwords")]
        replace_passwords: bool,
    },
    /// The configuration file.
    #[command(subcommand)]
    Config(CheckVerb),
    /// An agency's regulation file.
    #[command(subcommand)]
    Regulation(CheckVerb),
    /// Reviews of outgoing mail (S9.1, Điều 9).
    #[command(subcommand)]
    Review(ReviewVerb),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditVerb),
    /// The outbound queue.
    #[command(subcommand)]
    Queue(QueueVerb),
    /// People.
    #[command(subcommand)]
    Person(PersonVerb),
    /// Accounts (hộp thư).
    #[command(subcommand)]
    Account(AccountVerb),
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Where all data are kept; a second start goes on with them.
    #[arg(long, default_value = "congvu-demo")]
    pub(crate) data: PathBuf,
    /// Ports are this plus the standard port: SMTP +25, IMAP +143, HTTP +80 …
    #[arg(long, default_value_t = 10_000)]
    pub(crate) port_base: u16,
    /// Where mail for other domains goes; captured when absent.
    #[arg(long)]
    pub(crate) smarthost: Option<String>,
    /// The DNS server to ask; none is asked when absent.
    #[arg(long)]
    pub(crate) resolver: Option<SocketAddr>,
    /// `sqlite:PATH` or `postgres://…`; SQLite under the data directory when absent.
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// The directory of large bodies; under the data directory when absent.
    #[arg(long)]
    pub(crate) blobs: Option<PathBuf>,
    /// Further fixtures to apply.
    #[arg(long)]
    pub(crate) fixture: Vec<PathBuf>,
    /// Starts without the sample agency.
    #[arg(long)]
    pub(crate) empty: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckVerb {
    /// Reads a file and says line by line what is wrong.
    Check {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewVerb {
    /// Lists reviews that wait.
    List {
        /// Only this account's.
        #[arg(long)]
        account: Option<String>,
        /// Also those decided.
        #[arg(long)]
        all: bool,
    },
    /// Shows one review with its recipients and history.
    Show(ShowOptions),
    /// Approves and sends. Who approves has opened the message and every attachment of it.
    #[command(mut_arg("digest", |digest| digest.required(true)))]
    Approve(DecisionOptions),
    /// Returns to the author with a reason.
    Return(DecisionOptions),
    /// Rejects with a reason.
    Reject(DecisionOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// The review's id.
    pub(crate) id: String,
    /// Shows the text too, which only who may see the message is shown: `--as` says who looks.
    #[arg(long, requires = "person")]
    pub(crate) full: bool,
    /// Writes the attachments into this directory, for whom `--as` says.
    #[arg(long, requires = "person")]
    pub(crate) save: Option<PathBuf>,
    /// Who looks, as `username@agency`. Their password is asked for, or read from the environment variable
    /// `CONGVU_PASSWORD`.
    #[arg(long = "as")]
    pub(crate) person: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DecisionOptions {
    /// The review's id.
    pub(crate) id: String,
    /// Who decides: a person with the right to review, as `username@agency`. Their password is asked for, or read
    /// from the environment variable `CONGVU_PASSWORD`.
    #[arg(long = "as")]
    pub(crate) person: String,
    /// The reason; needed to return or reject.
    #[arg(long)]
    pub(crate) comment: Option<String>,
    /// Decides only if this is still the message's digest, as `show` printed it.
    #[arg(long)]
    pub(crate) digest: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Reads every chain and finds any change, removal or reordering; and, against the anchors, what was cut or taken away.
    Verify {
        /// An anchor that was kept elsewhere: the hash that the log showed.
        #[arg(long)]
        anchor: Vec<String>,
        /// A copy of the file of anchors that was kept elsewhere; the server's own when absent.
        #[arg(long)]
        anchors: Option<PathBuf>,
    },
    /// Shows the entries of a chain, such as `account/42`, `agency/7` or `system`.
    Show {
        /// The chain.
        chain: String,
        /// After this position.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueVerb {
    /// Lists what waits to leave.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Tries an entry again at once.
    Retry {
        /// The entry's id.
        id: String,
    },
    /// Takes an entry out; the sender is told.
    Cancel {
        /// The entry's id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PersonVerb {
    /// Lists people.
    List,
    /// Gives a new initial password, to be changed at the next sign-in (S4.2). It is shown once.
    ResetPassword {
        /// `username@agency`.
        person: String,
    },
    /// Closes a person's sign-in at once.
    Disable {
        /// `username@agency`.
        person: String,
    },
    /// Opens it again.
    Enable {
        /// `username@agency`.
        person: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountVerb {
    /// Lists accounts with what they hold.
    List,
    /// Sets an account's quota, such as `20 GiB`.
    SetQuota {
        /// The account's address.
        address: String,
        /// The size.
        quota: String,
    },
}
