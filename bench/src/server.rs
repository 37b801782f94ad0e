//! A Congvu with a hundred people, started and asked about.

use crate::Outcome;
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// People: user1 … user100, each with an account of their own.
pub(crate) const PEOPLE: usize = 100;
pub(crate) const PASSWORD: &str = "mot mat khau do toc do 1";
const PORT_BASE: u16 = 21_000;
const SAMPLE_PORT_BASE: u16 = 23_000;

pub(crate) struct Server {
    program: PathBuf,
    data: PathBuf,
    child: Child,
    described: serde_json::Value,
}

impl Server {
    pub(crate) fn start(program: &Path, data: &Path, database: Option<&str>) -> Outcome<Self> {
        let mut fixture =
            String::from("[[agency]]\ncode = \"bench\"\nname = \"Bench\"\ndomain = \"bench.test\"\n");
        for n in 1..=PEOPLE {
            write!(
                fixture,
                "[[person]]\nagency = \"bench\"\nusername = \"user{n}\"\nname = \"User {n}\"\npassword = \"{PASSWORD}\"\n\
                 [[account]]\naddress = \"user{n}@bench.test\"\nkind = \"personal\"\nagency = \"bench\"\nowner = \"user{n}\"\n"
            )?;
        }
        fs::create_dir_all(data)?;
        fs::write(data.join("bench.toml"), fixture)?;
        let fixture = data.join("bench.toml");
        let fixture = fixture.to_str().ok_or("the directory's name is not UTF-8")?;
        let mut options = vec!["--empty", "--fixture", fixture];
        options.extend(database.into_iter().flat_map(|url| ["--database", url]));
        Self::run(program, data, PORT_BASE, &options)
    }

    /// The sample agency, which sends to `smarthost`.
    pub(crate) fn start_sample(program: &Path, data: &Path, smarthost: &str) -> Outcome<Self> {
        Self::run(program, data, SAMPLE_PORT_BASE, &["--smarthost", smarthost])
    }

    fn run(program: &Path, data: &Path, port_base: u16, options: &[&str]) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args(["demo", "--port-base", &port_base.to_string()])
            .arg("--data")
            .arg(data.join("data"))
            .args(options)
            .env("CONGVU_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        if !line.starts_with("ready ") {
            return Err(format!("the server does not start: {line:?}").into());
        }
        let described = serde_json::from_str(&fs::read_to_string(data.join("data/demo.json"))?)?;
        Ok(Self { program: program.to_owned(), data: data.to_owned(), child, described })
    }

    /// Login and password of the sample agency's first person with this role.
    pub(crate) fn person(&self, role: &str) -> Outcome<(String, String)> {
        let people = self.described["people"].as_array().ok_or("demo.json names no people")?;
        let has = |p: &&serde_json::Value| p["roles"].as_array().is_some_and(|r| r.iter().any(|r| r == role));
        let person = people.iter().find(has).ok_or("nobody has this role")?;
        let text = |key: &str| person[key].as_str().unwrap_or_default().to_owned();
        Ok((text("username"), text("password")))
    }

    /// Kills the server and starts it on the same data; returns how long it took to greet at IMAP.
    pub(crate) fn restart(&mut self) -> Outcome<Duration> {
        self.child.kill()?;
        self.child.wait()?;
        let began = Instant::now();
        self.child = Command::new(&self.program)
            .args(["serve", "--config"])
            .arg(self.data.join("data/congvu.toml"))
            .env("CONGVU_LOG", "error")
            .spawn()?;
        let imap = self.at("imap");
        while began.elapsed() < Duration::from_secs(60) {
            let Ok(stream) = TcpStream::connect(&imap) else {
                thread::sleep(Duration::from_millis(2));
                continue;
            };
            let mut greeting = String::new();
            BufReader::new(stream).read_line(&mut greeting)?;
            if greeting.starts_with("* OK") {
                return Ok(began.elapsed());
            }
        }
        Err("the server does not greet within a minute".into())
    }

    /// Where a service listens.
    pub(crate) fn at(&self, service: &str) -> String {
        format!("127.0.0.1:{}", self.described["ports"][service])
    }

    /// The certificate to trust.
    pub(crate) fn ca(&self) -> PathBuf {
        PathBuf::from(self.described["ca"].as_str().unwrap_or_default())
    }

    /// CPU time used so far, ended threads' too, to the hundredth of a second (`/proc/PID/stat`).
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold anything; what follows its bracket are numbers, utime and stime the 12th and 13th of them.
        let numbers = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks = numbers.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / 100.0)
    }

    /// CPU time used so far by the threads that live, to the nanosecond (`/proc/PID/task/*/schedstat`): for short spans.
    pub(crate) fn fine_cpu_seconds(&self) -> Outcome<f64> {
        let mut nanoseconds = 0.0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += stat.split(' ').next().unwrap_or_default().parse::<f64>()?;
        }
        Ok(nanoseconds / 1e9)
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
        let kib: u64 = line.split_whitespace().nth(1).and_then(|w| w.parse().ok()).unwrap_or_default();
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
