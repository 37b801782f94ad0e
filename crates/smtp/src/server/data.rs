//! DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030): a message's bytes come in.

use super::{
    Service,
    pace::Pace,
    session::{End, Session},
};
use crate::{
    body::{self, BodyFault, DotReader},
    reply::Reply,
};
use congvu_net::{ReadError, Share};
use congvu_types::{Refusal, RefusalKind};
use std::time::{Duration, Instant};

/// A message is held so many times at most while it is looked at and stored: as it came, stamped, and compressed or trimmed.
const COPIES: usize = 3;

/// The chunks of a message so far.
#[derive(Debug)]
pub(super) struct Chunks {
    text: Vec<u8>,
    share: Share,
    pace: Pace,
    fault: Option<BodyFault>,
}

impl Chunks {
    fn blame(&mut self, fault: BodyFault) {
        self.fault.get_or_insert(fault);
        self.text = Vec::new();
        self.share.release();
    }

    /// How long the next chunk is waited for.
    pub(super) fn patience(&self) -> Duration {
        self.pace.patience(Instant::now()).unwrap_or_default()
    }
}

impl Session {
    fn has_recipients(&self) -> Option<Reply> {
        match &self.mail {
            None => Some(Reply::new(503, "5.5.1", "Say MAIL first.")),
            Some(mail) if mail.recipients.is_empty() => {
                Some(Reply::new(554, "5.5.1", "No valid recipients."))
            }
            Some(_) => None,
        }
    }

    pub(super) async fn data(&mut self) -> Result<(), End> {
        if let Some(reply) = self.has_recipients() {
            return self.refuse(&reply);
        }
        self.say(&Reply::new(354, "", "Send the message; end with a line of one dot."));
        self.connection.flush().await?;
        let mut reader = DotReader::new(self.server.options.max_message_bytes);
        let (mut share, mut pace) = (self.begin_share(), Pace::new(Instant::now()));
        loop {
            let input = match self.more(&pace).await {
                Ok(input) => input,
                Err(error) => return self.cut(&error),
            };
            let (used, done) = reader.push(input);
            self.connection.consume(used);
            pace.came(used, Instant::now());
            if done {
                break;
            }
            if !share.cover(reader.held()) {
                reader.blame(BodyFault::NoRoom);
            }
            if reader.is_faulty() {
                share.release();
            }
        }
        match reader.finish() {
            Ok(raw) => self.complete(raw, share).await,
            Err(fault) => self.answer_all(&Reply::body(fault)),
        }
    }

    fn begin_share(&self) -> Share {
        self.server.budget.begin_for(self.connection.peer().ip())
    }

    /// Waits for more of a message, no longer than its pace allows.
    async fn more(&mut self, pace: &Pace) -> Result<&[u8], ReadError> {
        let patience = pace.patience(Instant::now())?;
        self.connection.peek(patience).await
    }

    /// The peer stopped in the middle: nothing was acknowledged, so that it has the message still.
    fn cut(&mut self, error: &ReadError) -> Result<(), End> {
        if !matches!(error, ReadError::TimedOut) {
            return Err(End::Gone);
        }
        self.say(&Reply::new(421, "4.4.2", "The message stopped coming. Goodbye."));
        Err(End::Said)
    }

    pub(super) async fn bdat(&mut self, bytes: u64, last: bool) -> Result<(), End> {
        if let Some(reply) = self.has_recipients() {
            self.discard(bytes).await?;
            return self.refuse(&reply);
        }
        let limit = self.server.options.max_message_bytes;
        let mut chunks = self.chunks.take().unwrap_or_else(|| Chunks {
            text: Vec::new(),
            share: self.begin_share(),
            pace: Pace::new(Instant::now()),
            fault: None,
        });
        if bytes.saturating_add(chunks.text.len() as u64) > limit as u64 {
            chunks.blame(BodyFault::TooLarge);
        }
        let mut left = bytes;
        while left > 0 {
            let input = match self.more(&chunks.pace).await {
                Ok(input) => input,
                Err(error) => return self.cut(&error),
            };
            let take = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if chunks.fault.is_none() {
                chunks.text.extend_from_slice(&input[..take]);
            }
            self.connection.consume(take);
            chunks.pace.came(take, Instant::now());
            left -= take as u64;
            if !chunks.share.cover(chunks.text.capacity()) {
                chunks.blame(BodyFault::NoRoom);
            }
        }
        if !last {
            let reply = chunks
                .fault
                .map_or_else(|| Reply::new(250, "2.0.0", format!("{bytes} bytes taken.")), Reply::body);
            self.chunks = Some(chunks);
            self.say(&reply);
            return Ok(());
        }
        let Chunks { text, fault, share, .. } = chunks;
        match fault.or_else(|| (!body::is_text(&text)).then_some(BodyFault::BareLineEnd)) {
            Some(fault) => self.answer_all(&Reply::body(fault)),
            None => self.complete(text, share).await,
        }
    }

    /// A chunk that nobody may send is read all the same: it is no command (RFC 3030 §2).
    async fn discard(&mut self, bytes: u64) -> Result<(), End> {
        let (mut left, mut pace) = (bytes, Pace::new(Instant::now()));
        while left > 0 {
            let input = self.more(&pace).await.map_err(|_| End::Gone)?;
            let take = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.connection.consume(take);
            pace.came(take, Instant::now());
            left -= take as u64;
        }
        Ok(())
    }

    /// One reply, or one for each recipient (RFC 2033 §4.2).
    fn answer_all(&mut self, reply: &Reply) -> Result<(), End> {
        let recipients = self.mail.as_ref().map_or(1, |m| m.recipients.len());
        self.reset();
        let times = if self.service() == Service::Lmtp { recipients } else { 1 };
        for _ in 0..times {
            self.say(reply);
        }
        Ok(())
    }

    /// The message is whole.
    async fn complete(&mut self, raw: Vec<u8>, mut share: Share) -> Result<(), End> {
        if !share.cover(raw.len().saturating_mul(COPIES)) {
            return self.answer_all(&Reply::body(BodyFault::NoRoom));
        }
        if congvu_message::headers::count(&raw, "Received") > super::receive::MOST_HOPS {
            return self.answer_all(&Reply::refusal(&Refusal::new(RefusalKind::MailLoop)));
        }
        let Some(mail) = self.mail.take() else { return Err(End::Gone) };
        let replies = match self.who.clone() {
            Some(who) => vec![self.submit(&who, mail, raw).await],
            None => self.receive(mail, raw).await,
        };
        drop(share);
        self.reset();
        if replies.iter().any(Reply::is_success) {
            self.has_taken();
        }
        for reply in &replies {
            self.say(reply);
        }
        if replies.iter().any(Reply::closes) { Err(End::Said) } else { Ok(()) }
    }
}
