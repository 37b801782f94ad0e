//! From "approve" to the wire (S9.1): how long after a reviewer's decision the remote server has the message.

use crate::{
    Outcome,
    imap::Client,
    server::Server,
    smtp::{self, Talk},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{Sender, channel},
    thread,
    time::{Duration, Instant},
};

const AGENCY: &str = "bqlctgt@khanhhoa.example";
const WAITING: &str = "\"Shared/bqlctgt@khanhhoa.example/Ch&Ht0- duy&Hsc-t\"";
const APPROVED: &str = "\"Shared/bqlctgt@khanhhoa.example/&ARAA4w- duy&Hsc-t\"";
const MESSAGES: usize = 20;

/// Holds messages of the sample agency and approves them one by one, as its reviewer, over IMAP.
pub(crate) fn measure(program: &Path) -> Outcome<()> {
    let sink = TcpListener::bind("127.0.0.1:0")?;
    let smarthost = sink.local_addr()?.to_string();
    let (arrived, arrivals) = channel();
    thread::spawn(move || {
        for stream in sink.incoming().flatten() {
            let arrived = arrived.clone();
            thread::spawn(move || receive(&stream, &arrived).map_err(|e| e.to_string()));
        }
    });
    let data = tempfile::tempdir()?;
    let server = Server::start_sample(program, data.path(), &smarthost)?;
    hold(&server)?;
    let (reviewer, password) = server.person("reviewer")?;
    let mut client = Client::sign_in(&server.at("imap"), None, &reviewer, &password)?;
    client.run(&format!("SELECT {WAITING}"))?;
    let mut times = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES {
        // Who approves has opened the message (S9.1).
        client.run("FETCH 1 BODY.PEEK[]")?;
        let decided = Instant::now();
        client.run(&format!("MOVE 1 {APPROVED}"))?;
        let received: Instant = arrivals.recv_timeout(Duration::from_secs(20))?;
        times.push(received.duration_since(decided).as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "from \"approve\" to the wire: {:.1} ms, at worst {:.1} ms",
        times[MESSAGES / 2],
        times[MESSAGES - 1]
    );
    Ok(())
}

/// What the agency sends, one message after the other; all of it waits.
fn hold(server: &Server) -> Outcome<()> {
    let (author, password) = server.person("staff")?;
    let mut talk = Talk::open(&server.at("submission"))?;
    talk.say("EHLO bench.example", '2')?;
    talk.say(&format!("AUTH PLAIN {}", BASE64_STANDARD.encode(format!("\0{author}\0{password}"))), '2')?;
    for seed in 0..MESSAGES {
        talk.say(&format!("MAIL FROM:<{AGENCY}>"), '2')?;
        talk.say("RCPT TO:<sonoivu@gov.example>", '2')?;
        let body = String::from_utf8(smtp::message(seed, 4_096))?;
        let (_, rest) = body.split_once("\r\n").unwrap_or_default();
        talk.send(format!("From: <{AGENCY}>\r\n{rest}").as_bytes())?;
    }
    Ok(())
}

/// The remote server: takes everything, says when.
fn receive(stream: &TcpStream, arrived: &Sender<Instant>) -> Outcome<()> {
    let mut writer = stream.try_clone()?;
    writer.write_all(b"220 sink.example ESMTP\r\n")?;
    let mut in_data = false;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let reply = match (in_data, line.get(..4).unwrap_or(&line)) {
            (true, ".") => {
                in_data = false;
                arrived.send(Instant::now())?;
                "250 taken"
            }
            (true, _) => continue,
            (false, "DATA") => {
                in_data = true;
                "354 go on"
            }
            // 8-bit text goes to no server that does not offer to take it (RFC 6152 §3).
            (false, "EHLO") => "250-sink.example\r\n250 8BITMIME",
            (false, _) => "250 yes",
        };
        writer.write_all(format!("{reply}\r\n").as_bytes())?;
    }
    Ok(())
}
