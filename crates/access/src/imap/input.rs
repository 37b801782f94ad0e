//! A whole command comes in: lines and the literals between them (RFC 9051 §4.3, RFC 7888).

use super::{reply::Failed, session::Session};
use congvu_net::{ReadError, Share};
use std::time::Duration;

/// RFC 9051 §5.4: no less than 30 minutes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Who has not signed in has this long.
const STRANGER_PATIENCE: Duration = Duration::from_secs(60);
/// Between two blocks of a literal.
const BLOCK_PATIENCE: Duration = Duration::from_secs(180);
/// The longest line: long sets and searches.
const LONGEST_LINE: usize = 64 * 1024;
/// What a stranger may say.
const STRANGER_LINE: usize = 8 * 1024;
/// Lines and literals of a command together, but for the message of APPEND.
const LARGEST: usize = 1024 * 1024;

/// A whole command; its share of memory is held as long as it is.
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    _share: Share,
}

/// What came.
pub(super) enum Came {
    Command(Input),
    /// It was passed over, and why was said.
    Refused,
}

impl Session {
    /// Reads the next command. What is too large is refused without being kept.
    pub(super) async fn read_command(&mut self) -> Result<Came, Failed> {
        let (patience, longest) =
            if self.who.is_some() { (PATIENCE, LONGEST_LINE) } else { (STRANGER_PATIENCE, STRANGER_LINE) };
        let mut bytes = match self.connection.read_line(longest, patience).await {
            Ok(line) => line,
            Err(error) => return self.unreadable(error).await,
        };
        let mut share = self.server.budget.begin();
        while let Some((size, is_sync)) = literal_at_end(&bytes) {
            let fits = size <= self.literal_limit(&bytes, longest) && share.cover(bytes.len() + size);
            if !fits {
                return self.refuse_literal(&bytes, size, is_sync).await;
            }
            if is_sync {
                self.connection.write(b"+ Go on\r\n");
                self.connection.flush().await?;
            }
            bytes.extend_from_slice(b"\r\n");
            let end = bytes.len() + size;
            bytes.reserve(size);
            while bytes.len() < end {
                let input = self.connection.peek(BLOCK_PATIENCE).await?;
                let take = input.len().min(end - bytes.len());
                bytes.extend_from_slice(&input[..take]);
                self.connection.consume(take);
            }
            let line = self.connection.read_line(longest, BLOCK_PATIENCE).await?;
            bytes.extend_from_slice(&line);
        }
        Ok(Came::Command(Input { bytes, _share: share }))
    }

    fn literal_limit(&self, bytes: &[u8], longest: usize) -> usize {
        if self.who.is_none() {
            return longest.saturating_sub(bytes.len());
        }
        if is_append(bytes) {
            self.server.options.max_message_bytes
        } else {
            LARGEST.saturating_sub(bytes.len())
        }
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

    /// A synchronising literal is simply not asked for; one that comes all the same is read and forgotten.
    async fn refuse_literal(&mut self, bytes: &[u8], size: usize, is_sync: bool) -> Result<Came, Failed> {
        let tag = bytes.split(|b| *b == b' ').next().unwrap_or_default();
        let tag = String::from_utf8_lossy(tag)
            .chars()
            .filter(|c| c.is_ascii_graphic())
            .take(64)
            .collect::<String>();
        if !is_sync {
            let mut left = size;
            loop {
                while left > 0 {
                    let input = self.connection.peek(BLOCK_PATIENCE).await?;
                    let take = input.len().min(left);
                    self.connection.consume(take);
                    left -= take;
                }
                let line = self.connection.read_line(LONGEST_LINE, BLOCK_PATIENCE).await?;
                match literal_at_end(&line) {
                    Some((size, false)) => left = size,
                    _ => break,
                }
            }
        }
        self.connection
            .write(format!("{tag} NO [TOOBIG] That is larger than this server takes.\r\n").as_bytes());
        Ok(Came::Refused)
    }
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
