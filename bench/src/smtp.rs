//! Mail at full speed: each session sends one message after the other and waits for its 250.

use crate::{Outcome, server::PEOPLE};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    thread,
    time::Instant,
};

pub(crate) struct Load<'a> {
    pub(crate) address: &'a str,
    pub(crate) lmtp: bool,
    pub(crate) sessions: usize,
    pub(crate) count: usize,
    /// Bytes of a message.
    pub(crate) size: usize,
    /// To all people in turn, or to user1 alone.
    pub(crate) everyone: bool,
}

/// A text that compresses as mail does: words in ever other order.
pub(crate) fn message(seed: usize, size: usize) -> Vec<u8> {
    const WORDS: [&str; 24] = [
        "công", "văn", "số", "kính", "gửi", "báo", "cáo", "tuần", "dự", "án", "giao", "thông", "hồ", "sơ",
        "đề", "nghị", "phòng", "kế", "hoạch", "tổng", "hợp", "thẩm", "định", "quyết",
    ];
    let mut text = format!(
        "From: Sender <sender{seed}@ext.example>\r\nTo: <user@bench.test>\r\nSubject: Message {seed}\r\n\
         Date: Mon, 23 Nov 2026 08:00:00 +0700\r\nMessage-ID: <{seed}.{size}@ext.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    );
    let mut state = seed as u64 | 1;
    let mut column = 0;
    while text.len() + 12 < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = WORDS[(state >> 33) as usize % WORDS.len()];
        text.push_str(word);
        column += 1;
        text.push_str(if column % 12 == 0 { "\r\n" } else { " " });
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Runs a load; returns how long it took and each message's time, in seconds.
pub(crate) fn run(load: &Load<'_>) -> Outcome<(f64, Vec<f64>)> {
    let began = Instant::now();
    let each = load.count / load.sessions;
    let times: Result<Vec<Vec<f64>>, String> = thread::scope(|scope| {
        let sessions: Vec<_> = (0..load.sessions)
            .map(|n| scope.spawn(move || session(load, n, each).map_err(|e| e.to_string())))
            .collect();
        let joined = sessions.into_iter().map(|s| s.join().map_err(|_| "a session failed".to_owned())?);
        joined.collect()
    });
    Ok((began.elapsed().as_secs_f64(), times?.concat()))
}

fn session(load: &Load<'_>, session: usize, count: usize) -> Outcome<Vec<f64>> {
    let mut talk = Talk::open(load.address)?;
    talk.say(if load.lmtp { "LHLO bench.example" } else { "EHLO bench.example" }, '2')?;
    let mut times = Vec::with_capacity(count);
    for turn in 0..count {
        let seed = session * count + turn;
        let user = if load.everyone { seed % PEOPLE + 1 } else { 1 };
        let body = message(seed, load.size);
        let began = Instant::now();
        talk.say(&format!("MAIL FROM:<sender{session}@ext.example>"), '2')?;
        talk.say(&format!("RCPT TO:<user{user}@bench.test>"), '2')?;
        talk.send(&body)?;
        times.push(began.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// A client's side of a session.
pub(crate) struct Talk {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Talk {
    /// Connects and awaits the greeting.
    pub(crate) fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut talk = Self { reader: BufReader::new(stream.try_clone()?), writer: stream };
        talk.expect('2')?;
        Ok(talk)
    }

    /// Sends a command and awaits a reply of this class.
    pub(crate) fn say(&mut self, line: &str, class: char) -> Outcome<()> {
        self.writer.write_all(format!("{line}\r\n").as_bytes())?;
        self.expect(class)
    }

    /// Sends a message, which ends with CRLF and has no dot to stuff, and awaits its acceptance.
    pub(crate) fn send(&mut self, message: &[u8]) -> Outcome<()> {
        self.say("DATA", '3')?;
        self.writer.write_all(&[message, &b".\r\n"[..]].concat())?;
        self.expect('2')
    }

    fn expect(&mut self, class: char) -> Outcome<()> {
        let mut line = String::new();
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        if line.starts_with(class) { Ok(()) } else { Err(format!("the server said {line:?}").into()) }
    }
}
