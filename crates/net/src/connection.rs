//! One connection: lines and bytes in, collected output, plain or TLS. Idle, it holds no buffer.

use memchr::memchr2;
use std::{io, net::SocketAddr, sync::Arc, task::Poll, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// How much is read from the socket at a time.
const CHUNK: usize = 16 * 1024;
/// A peer that takes nothing for so long is gone.
const WRITE_DEADLINE: Duration = Duration::from_secs(120);
/// What is sent at once must be taken in the time of so many bytes a second, and [`WRITE_DEADLINE`] besides: who takes a byte
/// now and then would hold a large answer in memory for days.
const SLOWEST_WRITE: u64 = 8 * 1024;
/// The TLS handshake must be done within this time.
pub(crate) const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(30);

/// Why nothing could be read.
#[derive(Debug)]
pub enum ReadError {
    /// The peer closed the connection.
    Closed,
    /// The line is longer than allowed.
    TooLong,
    /// A CR without LF or a LF without CR.
    BareLineEnd,
    /// Nothing came in time.
    TimedOut,
    /// The socket failed.
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// At the end, so much is read and thrown away at most, …
const LINGER_BYTES: usize = 64 * 1024 * 1024;
/// … for so long at most.
const LINGER: Duration = Duration::from_secs(5);

/// What a connection runs over.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Transport for T {}

enum Stream {
    Plain(TcpStream),
    Tls(Box<dyn Transport>),
    /// A handshake is under way, or failed.
    Gone,
}

impl Stream {
    /// Writes some of the bytes, at least one.
    async fn write(&mut self, bytes: &[u8], until: Instant) -> io::Result<usize> {
        let patience = WRITE_DEADLINE.min(until.saturating_duration_since(Instant::now()));
        let written = match self {
            Self::Plain(socket) => timeout(patience, socket.write(bytes)).await,
            Self::Tls(stream) => timeout(patience, stream.write(bytes)).await,
            Self::Gone => return Err(io::ErrorKind::NotConnected.into()),
        };
        match written.map_err(|_| io::ErrorKind::TimedOut)?? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            some => Ok(some),
        }
    }
}

/// Until when so much must have been taken.
fn taken_by(bytes: usize) -> Instant {
    Instant::now() + WRITE_DEADLINE + Duration::from_secs(bytes as u64 / SLOWEST_WRITE)
}

/// One connection, accepted or dialled. Output is collected until [`Connection::flush`].
pub struct Connection {
    stream: Stream,
    peer: SocketAddr,
    is_tls: bool,
    input: Vec<u8>,
    /// Where the unread input begins.
    read: usize,
    output: Vec<u8>,
    /// How much of the output has left already.
    sent: usize,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .field("is_tls", &self.is_tls)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Wraps a connected socket.
    #[must_use]
    pub const fn plain(socket: TcpStream, peer: SocketAddr) -> Self {
        Self {
            stream: Stream::Plain(socket),
            peer,
            is_tls: false,
            input: Vec::new(),
            read: 0,
            output: Vec::new(),
            sent: 0,
        }
    }

    /// Returns the other end's address.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns whether the connection is encrypted.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Returns whether input that was read already waits to be used (pipelining).
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.read < self.input.len()
    }

    /// Returns a line without its CRLF, of at most `limit` bytes, within `within` from now. Cancel-safe: what was read
    /// stays. A line that is too long is not skipped: the caller ends the connection or [`Connection::skip_line`]s it.
    pub async fn read_line(&mut self, limit: usize, within: Duration) -> Result<Vec<u8>, ReadError> {
        match timeout(within, self.line(limit)).await {
            Ok(line) => line,
            Err(_) => Err(ReadError::TimedOut),
        }
    }

    async fn line(&mut self, limit: usize) -> Result<Vec<u8>, ReadError> {
        let mut seen = 0;
        loop {
            let unread = &self.input[self.read..];
            if let Some(at) = memchr2(b'\r', b'\n', &unread[seen..]).map(|at| at + seen) {
                match (unread[at], unread.get(at + 1)) {
                    (b'\r', Some(b'\n')) if at <= limit => {
                        let line = unread[..at].to_vec();
                        self.consume(at + 2);
                        return Ok(line);
                    }
                    (b'\r', Some(b'\n')) => return Err(ReadError::TooLong),
                    (b'\r', None) => seen = at,
                    _ => return Err(ReadError::BareLineEnd),
                }
            } else {
                seen = unread.len();
            }
            if seen > limit {
                return Err(ReadError::TooLong);
            }
            self.fill().await?;
        }
    }

    /// Passes over the rest of a line, up to its LF, in bounded memory.
    pub async fn skip_line(&mut self, within: Duration) -> Result<(), ReadError> {
        let skip = async {
            loop {
                let unread = &self.input[self.read..];
                if let Some(at) = memchr::memchr(b'\n', unread) {
                    self.consume(at + 1);
                    return Ok(());
                }
                let all = unread.len();
                self.consume(all);
                self.fill().await?;
            }
        };
        timeout(within, skip).await.unwrap_or(Err(ReadError::TimedOut))
    }

    /// Returns at least one and at most `max` bytes, within `within`. Cancel-safe.
    pub async fn read_some(&mut self, max: usize, within: Duration) -> Result<Vec<u8>, ReadError> {
        if !self.has_input() {
            timeout(within, self.fill()).await.unwrap_or(Err(ReadError::TimedOut))?;
        }
        let until = self.input.len().min(self.read + max.max(1));
        let bytes = self.input[self.read..until].to_vec();
        self.consume(bytes.len());
        Ok(bytes)
    }

    /// Lends the unread input, reading more first when there is none; [`Connection::consume`] says how much was used.
    /// Cancel-safe.
    pub async fn peek(&mut self, within: Duration) -> Result<&[u8], ReadError> {
        if !self.has_input() {
            timeout(within, self.fill()).await.unwrap_or(Err(ReadError::TimedOut))?;
        }
        Ok(&self.input[self.read..])
    }

    /// Like [`Connection::peek`], but always waits for more than is there already.
    pub async fn peek_more(&mut self, within: Duration) -> Result<&[u8], ReadError> {
        timeout(within, self.fill()).await.unwrap_or(Err(ReadError::TimedOut))?;
        Ok(&self.input[self.read..])
    }

    /// Counts `bytes` of the unread input as used; an emptied buffer is given back.
    pub fn consume(&mut self, bytes: usize) {
        self.read += bytes;
        if self.read >= self.input.len() {
            self.read = 0;
            self.input = Vec::new();
        }
    }

    /// Reads once from the socket; at least one byte, or the peer is gone.
    ///
    /// INVARIANT: nobody is waited for while words for them lie here: output leaves before the socket is read, also when
    /// a line stops in its middle (test: `what_was_said_leaves_before_the_rest_of_a_line_is_waited_for`).
    async fn fill(&mut self) -> Result<(), ReadError> {
        if !self.output.is_empty() {
            // On the heap, so that a connection that idles does not carry it.
            Box::pin(self.flush()).await?;
        }
        if self.read > 0 {
            self.input.drain(..self.read);
            self.read = 0;
        }
        // Nothing is held while nothing comes: the buffer is made when the socket has something.
        if self.input.is_empty() {
            self.input = Vec::new();
            if let Stream::Plain(socket) = &self.stream {
                socket.readable().await?;
            }
        }
        let filled = match &mut self.stream {
            Stream::Plain(socket) => {
                self.input.reserve(CHUNK);
                socket.read_buf(&mut self.input).await?
            }
            Stream::Tls(stream) => {
                // The library holds the ciphertext; one small array on the stack of this future takes what comes first.
                let mut first = [0_u8; 512];
                let got = stream.read(&mut first).await?;
                self.input.extend_from_slice(&first[..got]);
                if got == first.len() {
                    read_ready(stream.as_mut(), &mut self.input).await?;
                }
                got
            }
            Stream::Gone => return Err(ReadError::Closed),
        };
        if filled == 0 { Err(ReadError::Closed) } else { Ok(()) }
    }

    /// Waits until there is input, or the peer is gone. Cancel-safe, and holds no buffer meanwhile.
    pub async fn wait_input(&mut self) -> Result<(), ReadError> {
        if self.has_input() {
            return Ok(());
        }
        self.fill().await
    }

    /// Adds to the output.
    pub fn write(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// Returns how many bytes of output wait to be flushed.
    #[must_use]
    pub fn pending_output(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Sends the output when it has become `much` or more.
    pub async fn relieve(&mut self, much: usize) -> io::Result<()> {
        if self.pending_output() >= much { self.flush().await } else { Ok(()) }
    }

    /// Sends the output; fails when the peer takes nothing for 120 seconds, or less than 8 KiB a second in the long run.
    /// Cancel-safe: what has not left stays.
    pub async fn flush(&mut self) -> io::Result<()> {
        let until = taken_by(self.pending_output());
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            self.sent += self.stream.write(rest, until).await?;
        }
        if let Stream::Tls(stream) = &mut self.stream {
            timeout(WRITE_DEADLINE, stream.flush()).await.map_err(|_| io::ErrorKind::TimedOut)??;
        }
        self.output = Vec::new();
        self.sent = 0;
        Ok(())
    }

    /// Sends bytes at once, after the output collected before.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush().await?;
        let until = taken_by(bytes.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.stream.write(rest, until).await?..];
        }
        self.flush().await
    }

    /// Becomes the server's end of TLS. Refused when the peer sent anything in clear after its STARTTLS (RFC 3207 §4.2).
    pub async fn start_tls(&mut self, config: &Arc<ServerConfig>) -> io::Result<()> {
        let socket = self.take_plain()?;
        let acceptor = TlsAcceptor::from(config.clone());
        let stream = timeout(HANDSHAKE_DEADLINE, acceptor.accept(socket))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.stream = Stream::Tls(Box::new(stream));
        self.is_tls = true;
        Ok(())
    }

    /// Becomes the client's end of TLS with a server of this name.
    pub async fn connect_tls(
        &mut self,
        config: &Arc<tokio_rustls::rustls::ClientConfig>,
        name: rustls_pki_types::ServerName<'static>,
    ) -> io::Result<()> {
        let socket = self.take_plain()?;
        let connector = tokio_rustls::TlsConnector::from(config.clone());
        let stream = timeout(HANDSHAKE_DEADLINE, connector.connect(name, socket))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.stream = Stream::Tls(Box::new(stream));
        self.is_tls = true;
        Ok(())
    }

    fn take_plain(&mut self) -> io::Result<TcpStream> {
        if self.has_input() {
            let message = "bytes were sent in clear before the TLS handshake";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Plain(socket) => Ok(socket),
            other => {
                self.stream = other;
                Err(io::ErrorKind::AlreadyExists.into())
            }
        }
    }

    /// Sends what is left and closes; errors do not matter any more. What the peer still sends is passed over for a moment:
    /// a socket that is closed on unread input takes its own last words back.
    pub async fn close(&mut self) {
        let _ = self.flush().await;
        let shut = match &mut self.stream {
            Stream::Plain(socket) => timeout(Duration::from_secs(5), socket.shutdown()).await,
            Stream::Tls(stream) => timeout(Duration::from_secs(5), stream.shutdown()).await,
            Stream::Gone => return,
        };
        if !matches!(shut, Ok(Ok(()))) {
            return;
        }
        let linger = async {
            let mut left = LINGER_BYTES;
            while left > 0 && self.fill().await.is_ok() {
                left = left.saturating_sub(self.input.len());
                self.consume(self.input.len());
            }
        };
        let _ = timeout(LINGER, linger).await;
    }
}

/// Adds what can be read without waiting, up to a chunk.
async fn read_ready(stream: &mut dyn Transport, input: &mut Vec<u8>) -> io::Result<()> {
    let before = input.len();
    input.resize(before + CHUNK, 0);
    let mut buffer = tokio::io::ReadBuf::new(&mut input[before..]);
    let read = std::future::poll_fn(|cx| match std::pin::Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
        Poll::Ready(read) => Poll::Ready(read),
        Poll::Pending => Poll::Ready(Ok(())),
    });
    read.await?;
    let got = buffer.filled().len();
    input.truncate(before + got);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tokio::net::TcpListener;

    const SOON: Duration = Duration::from_secs(5);

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, peer) = listener.accept().await.unwrap();
        (Connection::plain(server, peer), client)
    }

    #[tokio::test]
    async fn lines_come_whole_however_they_are_cut() {
        let (mut connection, mut client) = pair().await;
        let talk = async {
            for piece in ["EH", "LO x\r", "\nMAIL\r\n", "tail"] {
                client.write_all(piece.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(client);
        };
        let listen = async {
            assert_eq!(connection.read_line(100, SOON).await.unwrap(), b"EHLO x");
            assert_eq!(connection.read_line(100, SOON).await.unwrap(), b"MAIL");
            assert!(matches!(connection.read_line(100, SOON).await, Err(ReadError::Closed)));
        };
        tokio::join!(talk, listen);
    }

    #[tokio::test]
    async fn bare_line_ends_are_errors() {
        for bad in ["a\nb\r\n", "a\rb\r\n", "a\r\rb\r\n", "\n"] {
            let (mut connection, mut client) = pair().await;
            client.write_all(bad.as_bytes()).await.unwrap();
            let read = connection.read_line(100, SOON).await;
            assert!(matches!(read, Err(ReadError::BareLineEnd)), "{bad:?}: {read:?}");
        }
    }

    #[tokio::test]
    async fn what_was_said_leaves_before_the_rest_of_a_line_is_waited_for() {
        let (mut connection, mut client) = pair().await;
        client.write_all(b"NOOP\r\nNO").await.unwrap();
        assert_eq!(connection.read_line(100, SOON).await.unwrap(), b"NOOP");
        connection.write(b"250 OK\r\n");
        let mut heard = [0; 8];
        let talk = async {
            client.read_exact(&mut heard).await.unwrap();
            client.write_all(b"OP\r\n").await.unwrap();
        };
        let (line, ()) = tokio::join!(connection.read_line(100, SOON), talk);
        assert_eq!(line.unwrap(), b"NOOP");
        assert_eq!(&heard, b"250 OK\r\n");
    }

    #[tokio::test]
    async fn output_that_is_cut_off_goes_on_where_it_was() {
        let (mut connection, mut client) = pair().await;
        let much: Vec<u8> = (0..4_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        connection.write(&much);
        assert!(timeout(Duration::from_millis(50), connection.flush()).await.is_err(), "nobody reads yet");
        let mut heard = vec![0; much.len()];
        let (flushed, read) = tokio::join!(connection.flush(), client.read_exact(&mut heard));
        flushed.unwrap();
        read.unwrap();
        assert!(heard == much && connection.pending_output() == 0);
    }

    #[tokio::test]
    async fn a_line_has_a_limit_and_a_deadline() {
        let (mut connection, mut client) = pair().await;
        client.write_all(&[b'x'; 5000]).await.unwrap();
        assert!(matches!(connection.read_line(100, SOON).await, Err(ReadError::TooLong)));
        let (mut connection, _client) = pair().await;
        let read = connection.read_line(100, Duration::from_millis(20)).await;
        assert!(matches!(read, Err(ReadError::TimedOut)));
    }

    #[tokio::test]
    async fn plaintext_before_the_handshake_is_refused() {
        let (mut connection, mut client) = pair().await;
        client.write_all(b"STARTTLS\r\nMAIL FROM:<a@x.example>\r\n").await.unwrap();
        assert_eq!(connection.read_line(100, SOON).await.unwrap(), b"STARTTLS");
        let dir = tempfile::tempdir().unwrap();
        let files = crate::tls::own_authority(dir.path(), &["localhost".to_owned()]).unwrap();
        let config = crate::tls::server_config(&files.certificate, &files.key).unwrap();
        assert_eq!(connection.start_tls(&config).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    async fn over_tls(directory: &Path, trusted: bool) -> io::Result<Vec<u8>> {
        let files = crate::tls::own_authority(directory, &["localhost".to_owned()])?;
        let config = crate::tls::server_config(&files.certificate, &files.key)?;
        let (mut server, client) = pair().await;
        let address = client.peer_addr()?;
        let talk = async {
            let trust = if trusted {
                crate::tls::client_trusting(&files.ca)?
            } else {
                crate::tls::opportunistic_client()?
            };
            let mut client = Connection::plain(client, address);
            client.connect_tls(&trust, "localhost".try_into().unwrap()).await?;
            client.write(b"hello\r\n");
            client.flush().await
        };
        let listen = async {
            server.start_tls(&config).await?;
            server.read_line(100, SOON).await.map_err(|e| io::Error::other(format!("{e:?}")))
        };
        let (said, heard) = tokio::join!(talk, listen);
        said?;
        heard
    }

    #[tokio::test]
    async fn an_own_authority_is_made_once_and_believed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(over_tls(dir.path(), true).await.unwrap(), b"hello");
        assert_eq!(over_tls(dir.path(), true).await.unwrap(), b"hello", "the second start");
        assert_eq!(over_tls(dir.path(), false).await.unwrap(), b"hello", "opportunistic");
    }
}
