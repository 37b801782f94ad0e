//! A connection that takes nothing for too long is gone: answers are not held for whoever does not read them.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// A peer that takes nothing for so long is gone, …
const WRITE_DEADLINE: Duration = Duration::from_secs(60);
/// … and one that is behind must take so many bytes a second.
const SLOWEST_WRITE: u64 = 4 * 1024;

/// A stream whose peer has to read.
pub(crate) struct Patient<S> {
    stream: S,
    /// Set while the peer is behind.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether the last write had to wait.
    waited: bool,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, deadline: None, waited: false }
    }

    /// Watches what a write came to.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                self.waited = true;
                let until = || Box::pin(sleep_until(Instant::now() + WRITE_DEADLINE));
                ready!(self.deadline.get_or_insert_with(until).as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Ready(Ok(bytes)) => {
                match (&mut self.deadline, std::mem::take(&mut self.waited)) {
                    // It drips: what it took is what it gains.
                    (Some(sleep), true) => {
                        let gained = Duration::from_millis(bytes as u64 * 1000 / SLOWEST_WRITE);
                        let until = (sleep.deadline() + gained).min(Instant::now() + WRITE_DEADLINE);
                        sleep.as_mut().reset(until);
                    }
                    _ => self.deadline = None,
                }
                Poll::Ready(Ok(bytes))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS holds what the socket did not take: its flush waits for the peer too.
        let flushed = Pin::new(&mut self.stream).poll_flush(context).map_ok(|()| 0);
        match flushed {
            Poll::Pending => self.watch(context, Poll::Pending).map_ok(drop),
            other => other.map_ok(drop),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_gone() {
        let (ours, _theirs) = duplex(1024);
        let before = Instant::now();
        let error = Patient::new(ours).write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(before.elapsed().as_secs(), WRITE_DEADLINE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_a_byte_now_and_then_is_gone_and_who_reads_slowly_is_not() {
        for (piece, pause, survives) in [(1, 1000, false), (1024, 100, true)] {
            let (ours, mut theirs) = duplex(1024);
            tokio::spawn(async move {
                let mut taken = vec![0; piece];
                while theirs.read_exact(&mut taken).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            });
            let written = Patient::new(ours).write_all(&vec![0; 2 << 20]).await;
            assert_eq!(written.is_ok(), survives, "{piece}");
        }
    }
}
