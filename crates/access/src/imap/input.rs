//! A whole command comes in: lines and the literals between them (RFC 9051 §4.3, RFC 7888).

use super::{memory::Portion, reply::Failed, session::Session};
use congvu_net::ReadError;
use std::time::Duration;
use tokio::time::Instant;

/// RFC 9051 §5.4: no less than 30 minutes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Who has not signed in has this long for a command, from the wait for its first byte to its last.
pub(super) const STRANGER_PATIENCE: Duration = Duration::from_secs(60);
/// Between two blocks of a literal.
const BLOCK_PATIENCE: Duration = Duration::from_secs(180);
/// A literal may take as long as it does at this many bytes a second, and a minute.
const SLOWEST: u64 = 16 * 1024;
/// The longest line: long sets and searches.
const LONGEST_LINE: usize = 64 * 1024;
/// Lines and literals of a command of a stranger together.
const STRANGERS: usize = 8 * 1024;
/// Lines and literals of a command together, but for the message of APPEND.
const LARGEST: usize = 1024 * 1024;
/// What stands around the message of APPEND.
const AROUND_MESSAGE: usize = 64 * 1024;
/// So many literals, where each could be a name.
const MOST_LITERALS: usize = 100;
/// So much of a command is held without counting.
const UNCOUNTED: usize = 64 * 1024;
/// What is not asked for and comes all the same is passed over up to this size; beyond it the connection ends.
const PASSED_OVER: usize = 128 * 1024 * 1024;

/// A whole command; its share of memory is held as long as it is.
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    _portion: Option<Portion>,
}

/// What came.
pub(super) enum Came {
    Command(Input),
    /// It was passed over, and why was said.
    Refused,
}

/// Why a literal is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    TooLarge,
    TooMany,
    NoRoom,
}

/// A literal as it was announced.
#[derive(Debug, Clone, Copy)]
struct Literal {
    size: usize,
    is_sync: bool,
}

/// A command that is still coming in.
struct Coming {
    bytes: Vec<u8>,
    /// `None` before sign-in: so little is not counted.
    portion: Option<Portion>,
    /// Where the line that came last begins. What comes before it may be anything, `{9}` too.
    line: usize,
    literals: usize,
    is_append: bool,
    /// The size of APPEND's message once it is announced: the last literal.
    message: Option<usize>,
}

impl Coming {
    fn new(line: Vec<u8>, portion: Option<Portion>) -> Self {
        let is_append = portion.is_some() && is_append(&line);
        Self { bytes: line, portion, line: 0, literals: 0, is_append, message: None }
    }

    fn announced(&self) -> Option<Literal> {
        literal_at_end(self.bytes.get(self.line..)?).map(|(size, is_sync)| Literal { size, is_sync })
    }

    /// How much more may come, but for the message of APPEND.
    fn left(&self) -> usize {
        let most = match (&self.portion, self.is_append) {
            (None, _) => STRANGERS,
            (Some(_), true) => AROUND_MESSAGE,
            (Some(_), false) => LARGEST,
        };
        most.saturating_sub(self.bytes.len() - self.message.unwrap_or(0))
    }

    /// Whether a literal may come.
    fn admit(&mut self, literal: Literal, largest_message: usize) -> Result<(), Refused> {
        self.literals += 1;
        if self.literals > MOST_LITERALS || self.message.is_some() {
            return Err(Refused::TooMany);
        }
        let is_message = self.is_append && !(self.literals == 1 && is_name_next(&self.bytes));
        if is_message && literal.size <= largest_message {
            self.message = Some(literal.size);
            return Ok(());
        }
        if is_message || literal.size > self.left() { Err(Refused::TooLarge) } else { Ok(()) }
    }

    /// Makes room for `more` bytes that are here, of a literal that ends at `end`: memory is taken for what came, not for
    /// what was promised.
    fn grow(&mut self, more: usize, end: usize) -> Result<(), Refused> {
        let needed = self.bytes.len() + more;
        if needed <= self.bytes.capacity() {
            return Ok(());
        }
        let room = needed.max(self.bytes.len() * 2).min(end.max(needed));
        let counted = self.portion.as_mut().filter(|_| room > UNCOUNTED);
        if counted.is_some_and(|portion| !portion.cover(room)) {
            return Err(Refused::NoRoom);
        }
        self.bytes.reserve_exact(room - self.bytes.len());
        Ok(())
    }
}

impl Session {
    /// Reads the next command. What is too large is refused without being kept.
    pub(super) async fn read_command(&mut self) -> Result<Came, Failed> {
        let is_stranger = self.who.is_none();
        let (patience, longest) =
            if is_stranger { (STRANGER_PATIENCE, STRANGERS) } else { (PATIENCE, LONGEST_LINE) };
        let stranger_until = is_stranger.then(|| Instant::now() + STRANGER_PATIENCE);
        let line = match self.connection.read_line(longest, patience).await {
            Ok(line) => line,
            Err(error) => return self.unreadable(error).await,
        };
        let mut coming = Coming::new(line, self.purse.as_ref().map(super::memory::Purse::begin));
        while let Some(literal) = coming.announced() {
            if let Err(why) = coming.admit(literal, self.server.options.max_message_bytes) {
                return self.refuse_literal(coming, literal.size, literal.is_sync, why).await;
            }
            if literal.is_sync {
                self.connection.write(b"+ Go on\r\n");
                self.connection.flush().await?;
            }
            let until = stranger_until.unwrap_or_else(|| Instant::now() + time_for(literal.size));
            if let Err((why, left)) = self.read_literal(&mut coming, literal.size, until).await? {
                return self.refuse_literal(coming, left, false, why).await;
            }
            let limit = coming.left().min(longest);
            let patience = BLOCK_PATIENCE.min(stranger_until.map_or(BLOCK_PATIENCE, time_left));
            let line = match self.connection.read_line(limit, patience).await {
                Ok(line) => line,
                Err(error) => return self.unreadable(error).await,
            };
            coming.line = coming.bytes.len();
            coming.bytes.extend_from_slice(&line);
        }
        Ok(Came::Command(Input { bytes: coming.bytes, _portion: coming.portion }))
    }

    /// Takes a literal in, block by block. When memory runs out, says how much of it is still to come.
    async fn read_literal(
        &mut self,
        coming: &mut Coming,
        size: usize,
        until: Instant,
    ) -> Result<Result<(), (Refused, usize)>, Failed> {
        coming.bytes.extend_from_slice(b"\r\n");
        let end = coming.bytes.len() + size;
        while coming.bytes.len() < end {
            let input = self.connection.peek(BLOCK_PATIENCE.min(time_left(until))).await?;
            let take = input.len().min(end - coming.bytes.len());
            if let Err(why) = coming.grow(take, end) {
                return Ok(Err((why, end - coming.bytes.len())));
            }
            coming.bytes.extend_from_slice(&input[..take]);
            self.connection.consume(take);
        }
        Ok(Ok(()))
    }

    async fn unreadable(&mut self, error: ReadError) -> Result<Came, Failed> {
        let farewell = match error {
            ReadError::Closed | ReadError::Io(_) => return Err(Failed::Gone),
            ReadError::TimedOut => "* BYE Nothing came for too long.\r\n",
            ReadError::BareLineEnd => "* BYE Lines must end with CRLF.\r\n",
            ReadError::TooLong => "* BYE The line is too long.\r\n",
        };
        self.connection.write(farewell.as_bytes());
        self.connection.close().await;
        Err(Failed::Gone)
    }

    /// A synchronising literal is simply not asked for; of one that comes all the same, `left` bytes are passed over.
    async fn refuse_literal(
        &mut self,
        coming: Coming,
        left: usize,
        is_sync: bool,
        why: Refused,
    ) -> Result<Came, Failed> {
        let tag = tag_of(&coming.bytes);
        // The memory is given back before the rest is waited for.
        drop(coming);
        let sentence = match why {
            Refused::TooLarge => "[TOOBIG] That is larger than this server takes.",
            Refused::TooMany => "[LIMIT] These are more literals than this server takes.",
            Refused::NoRoom => "[UNAVAILABLE] Too much is under way here. Try again in a moment.",
        };
        // RFC 7888 §4: the connection may be closed on a literal that is too large and not asked for.
        if !is_sync && (self.who.is_none() || left > PASSED_OVER) {
            self.connection.write(format!("* BYE {sentence}\r\n").as_bytes());
            self.connection.close().await;
            return Err(Failed::Gone);
        }
        if !is_sync {
            let until = Instant::now() + time_for(left);
            self.pass_over(left, until).await?;
        }
        self.connection.write(format!("{tag} NO {sentence}\r\n").as_bytes());
        Ok(Came::Refused)
    }

    /// Reads the rest of a command and forgets it.
    async fn pass_over(&mut self, mut left: usize, until: Instant) -> Result<(), Failed> {
        let mut passed = 0_usize;
        loop {
            passed = passed.saturating_add(left);
            if passed > PASSED_OVER {
                return Err(Failed::Gone);
            }
            while left > 0 {
                let input = self.connection.peek(BLOCK_PATIENCE.min(time_left(until))).await?;
                let take = input.len().min(left);
                self.connection.consume(take);
                left -= take;
            }
            let patience = BLOCK_PATIENCE.min(time_left(until));
            let line = self.connection.read_line(LONGEST_LINE, patience).await?;
            match literal_at_end(&line) {
                Some((size, false)) => left = size,
                _ => return Ok(()),
            }
        }
    }
}

fn time_for(size: usize) -> Duration {
    Duration::from_secs(60 + size as u64 / SLOWEST)
}

fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn tag_of(bytes: &[u8]) -> String {
    let tag = bytes.split(|b| *b == b' ').next().unwrap_or_default();
    String::from_utf8_lossy(tag).chars().filter(char::is_ascii_graphic).take(64).collect()
}

/// The literal that a line ends with: its size, and whether the client waits to be asked for it.
fn literal_at_end(line: &[u8]) -> Option<(usize, bool)> {
    let inside = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inside)?;
    let (digits, is_sync) = match inside[open + 1..].split_last()? {
        (b'+' | b'-', digits) => (digits, false),
        _ => (&inside[open + 1..], true),
    };
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(|size| (size, is_sync))
}

fn is_append(bytes: &[u8]) -> bool {
    let mut words = bytes.splitn(3, |b| *b == b' ');
    words.nth(1).is_some_and(|name| name.eq_ignore_ascii_case(b"APPEND"))
}

/// Whether what comes next is the second argument of APPEND at the earliest: its mailbox.
fn is_name_next(bytes: &[u8]) -> bool {
    let head = bytes.rsplit(|b| *b == b' ').skip(1);
    head.filter(|word| !word.is_empty()).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_seen_at_the_end_of_a_line() {
        assert_eq!(literal_at_end(b"a LOGIN {3}"), Some((3, true)));
        assert_eq!(literal_at_end(b"a APPEND x ~{12+}"), Some((12, false)));
        for none in [&b"a NOOP"[..], b"x {}", b"x {a}", b"x {3} ", b"x {99999999999999999999}"] {
            assert_eq!(literal_at_end(none), None);
        }
    }
}
