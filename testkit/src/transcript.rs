//! Protocol behaviour as text that anyone in mail can read.
//!
//! `C: ` is sent with CRLF. `S: ` is a line that must come; `*` in it stands for anything. `S~ ` passes over lines until one
//! fits. `S- ` is a line that must not come before the next `S~ ` fits.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that speaks from a script.
pub struct Client {
    stream: BufReader<TcpStream>,
    said: Vec<String>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        Self { stream: BufReader::new(stream), said: Vec::new() }
    }

    /// Plays a script; panics with what was said so far when an answer does not fit.
    pub async fn play(&mut self, script: &str) {
        let mut forbidden: Vec<&str> = Vec::new();
        for line in script.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            if let Some(text) = line.strip_prefix("C: ").or_else(|| (line == "C:").then_some("")) {
                self.send(text).await;
            } else if let Some(pattern) = line.strip_prefix("S: ") {
                let came = self.receive().await;
                assert!(fits(pattern, &came), "expected {pattern:?}, got {came:?}\n{}", self.said());
            } else if let Some(pattern) = line.strip_prefix("S- ") {
                forbidden.push(pattern);
            } else if let Some(pattern) = line.strip_prefix("S~ ") {
                loop {
                    let came = self.receive().await;
                    if fits(pattern, &came) {
                        break;
                    }
                    let bad = forbidden.iter().find(|p| fits(p, &came));
                    assert!(bad.is_none(), "{came:?} must not come\n{}", self.said());
                }
                forbidden.clear();
            } else {
                panic!("no line of a script: {line:?}");
            }
        }
    }

    /// Sends a line.
    pub async fn send(&mut self, text: &str) {
        self.said.push(format!("C: {text}"));
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await.expect("the server listens");
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server listens");
    }

    /// Reads a line; empty at the end.
    pub async fn receive(&mut self) -> String {
        let mut line = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_until(b'\n', &mut line)).await;
        assert!(read.is_ok(), "nothing came\n{}", self.said());
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        self.said.push(format!("S: {text}"));
        text
    }

    fn said(&self) -> String {
        self.said.join("\n")
    }
}

/// Whether a line fits a pattern with `*`.
fn fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}
