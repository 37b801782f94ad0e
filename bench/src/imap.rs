//! Reading: a large mailbox, idle connections.

use crate::{
    Outcome,
    server::{PASSWORD, PEOPLE, Server},
    smtp,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A signed-in connection.
pub(crate) struct Client {
    stream: BufReader<Box<dyn Wire>>,
    pub(crate) socket: TcpStream,
}

impl Client {
    /// Connects as one of the bench's people.
    pub(crate) fn open(address: &str, tls: Option<&Arc<ClientConfig>>, user: usize) -> Outcome<Self> {
        Self::sign_in(address, tls, &format!("user{user}@bench"), PASSWORD)
    }

    /// Connects and signs in.
    pub(crate) fn sign_in(
        address: &str,
        tls: Option<&Arc<ClientConfig>>,
        login: &str,
        password: &str,
    ) -> Outcome<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let plain = socket.try_clone()?;
        let stream: Box<dyn Wire> = match tls {
            None => Box::new(plain),
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                Box::new(StreamOwned::new(ClientConnection::new(config.clone(), name)?, plain))
            }
        };
        let mut client = Self { stream: BufReader::new(stream), socket };
        client.line()?;
        client.run(&format!("LOGIN {login} \"{password}\""))?;
        Ok(client)
    }

    pub(crate) fn line(&mut self) -> Outcome<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn send(&mut self, text: &str) -> Outcome<()> {
        self.stream.get_mut().write_all(text.as_bytes())?;
        Ok(self.stream.get_mut().flush()?)
    }

    /// Runs a command to its end; returns how many bytes came.
    pub(crate) fn run(&mut self, command: &str) -> Outcome<usize> {
        self.send(&format!("a {command}\r\n"))?;
        self.finish()
    }

    fn finish(&mut self) -> Outcome<usize> {
        let mut bytes = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            bytes += self.stream.read_until(b'\n', &mut line)?;
            if line.starts_with(b"a OK") {
                return Ok(bytes);
            }
            if line.is_empty() || line.starts_with(b"a ") {
                return Err(format!("the server said {:?}", String::from_utf8_lossy(&line)).into());
            }
        }
    }

    /// How many messages INBOX has.
    pub(crate) fn messages(&mut self) -> Outcome<usize> {
        self.send("a STATUS INBOX (MESSAGES)\r\n")?;
        let answer = self.line()?;
        let count =
            answer.rsplit(' ').next().unwrap_or_default().trim_end_matches([')', '\r', '\n']).parse()?;
        self.line()?;
        Ok(count)
    }

    pub(crate) fn idle(&mut self) -> Outcome<()> {
        self.run("SELECT INBOX")?;
        self.send("a IDLE\r\n")?;
        while !self.line()?.starts_with('+') {}
        Ok(())
    }
}

fn trusting(server: &Server) -> Outcome<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.ca())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Memory of the server for each idle connection.
pub(crate) fn idle(server: &Server, count: usize, tls: bool) -> Outcome<()> {
    let config = if tls { Some(trusting(server)?) } else { None };
    let address = server.at(if tls { "imaps" } else { "imap" });
    // One connection after the other warms what all share, and leaves no room for many at once behind.
    for user in 1..=PEOPLE {
        Client::open(&address, config.as_ref(), user)?.idle()?;
    }
    thread::sleep(Duration::from_secs(1));
    let mut held = Vec::with_capacity(count);
    let before = server.memory()?;
    for n in 0..count {
        let mut client = Client::open(&address, config.as_ref(), n % PEOPLE + 1)?;
        client.idle()?;
        held.push(client);
    }
    thread::sleep(Duration::from_secs(1));
    let each = server.memory()?.saturating_sub(before) as f64 / count as f64 / 1024.0;
    let way = if tls { "with TLS" } else { "plain" };
    println!("{count} idle IMAP connections, {way}: {each:.1} KB of server memory each");
    Ok(())
}

fn timed(what: &str, runs: usize, mut run: impl FnMut() -> Outcome<usize>) -> Outcome<()> {
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..runs {
        let began = Instant::now();
        bytes = run()?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!("{what}: {:.1} ms ({:.1} MB)", times[times.len() / 2], bytes as f64 / 1e6);
    Ok(())
}

/// One mailbox with very many messages.
pub(crate) fn large_mailbox(address: &str, messages: usize) -> Outcome<()> {
    let mut client = Client::open(address, None, 1)?;
    // A peer's account has none yet; ours answers NO, which says the same.
    let _ = client.run("CREATE Archive");
    timed("SELECT, first", 1, || client.run("SELECT INBOX"))?;
    timed("SELECT, warm", 9, || client.run("SELECT INBOX"))?;
    timed("FETCH 1:* (UID FLAGS)", 5, || client.run("FETCH 1:* (UID FLAGS)"))?;
    timed("FETCH 1:* ENVELOPE", 3, || client.run("FETCH 1:* ENVELOPE"))?;
    timed("SEARCH UNSEEN", 5, || client.run("SEARCH UNSEEN"))?;
    timed("SEARCH SUBJECT", 2, || client.run("SEARCH SUBJECT \"message 4711\""))?;
    // Vietnamese without its accents, in the text of all messages.
    timed("SEARCH BODY, Vietnamese", 1, || {
        client.run("SEARCH BODY \"tham dinh bao cao giao thong ke hoach\"")
    })?;
    let single = Instant::now();
    for n in 0..1_000 {
        let sign = if n % 2 == 0 { '+' } else { '-' };
        client.run(&format!("STORE {} {sign}FLAGS.SILENT (\\Flagged)", n * 37 % messages + 1))?;
    }
    println!("single STOREs: {:.0} a second", 1_000.0 / single.elapsed().as_secs_f64());
    many(address, "random BODY.PEEK[]", 10, 3_000, |client, n| {
        client.run(&format!("FETCH {} BODY.PEEK[]", n.wrapping_mul(7_919) % messages + 1))
    })?;
    many(address, "APPEND", 10, 500, |client, n| {
        let body = smtp::message(n, 4_096);
        client.send(&format!("a APPEND Archive {{{}+}}\r\n", body.len()))?;
        client.stream.get_mut().write_all(&[&body, &b"\r\n"[..]].concat())?;
        client.finish()
    })
}

/// The same on several connections at once.
fn many(
    address: &str,
    what: &str,
    connections: usize,
    each: usize,
    step: impl Fn(&mut Client, usize) -> Outcome<usize> + Sync,
) -> Outcome<()> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut client = Client::open(address, None, 1)?;
        client.run("SELECT INBOX")?;
        clients.push(client);
    }
    let began = Instant::now();
    let done: Result<(), String> = thread::scope(|scope| {
        let step = &step;
        let running: Vec<_> = clients
            .iter_mut()
            .enumerate()
            .map(|(n, client)| {
                scope.spawn(move || {
                    (0..each).try_for_each(|turn| {
                        step(client, n * each + turn).map(drop).map_err(|e| e.to_string())
                    })
                })
            })
            .collect();
        running.into_iter().try_for_each(|r| r.join().map_err(|_| "a connection failed".to_owned())?)
    });
    done?;
    let rate = (connections * each) as f64 / began.elapsed().as_secs_f64();
    println!("{what}, {connections} connections: {rate:.0} a second");
    Ok(())
}
