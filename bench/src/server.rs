//! A Congvu with a hundred people, started and asked about.

use crate::Outcome;
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// People: user1 … user100, each with an account of their own.
pub(crate) const PEOPLE: usize = 100;
pub(crate) const PASSWORD: &str = "mot mat khau do toc do 1";
const PORT_BASE: u16 = 21_000;

pub(crate) struct Server {
    program: PathBuf,
    data: PathBuf,
    child: Child,
    described: serde_json::Value,
}

impl Server {
    pub(crate) fn start(program: &Path, data: &Path) -> Outcome<Self> {
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
        let (child, described) = run(program, data)?;
        Ok(Self { program: program.to_owned(), data: data.to_owned(), child, described })
    }

    /// Kills the server and starts it on the same data.
    pub(crate) fn restart(&mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        (self.child, self.described) = run(&self.program, &self.data)?;
        Ok(())
    }

    /// Where a service listens.
    pub(crate) fn at(&self, service: &str) -> String {
        format!("127.0.0.1:{}", self.described["ports"][service])
    }

    /// The certificate to trust.
    pub(crate) fn ca(&self) -> PathBuf {
        PathBuf::from(self.described["ca"].as_str().unwrap_or_default())
    }

    /// CPU time used so far.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or_default();
        Ok((ticks(11) + ticks(12)) / 100.0)
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

fn run(program: &Path, data: &Path) -> Outcome<(Child, serde_json::Value)> {
    let mut child = Command::new(program)
        .args(["demo", "--empty", "--port-base", &PORT_BASE.to_string()])
        .arg("--data")
        .arg(data.join("data"))
        .arg("--fixture")
        .arg(data.join("bench.toml"))
        .env("CONGVU_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    if !line.starts_with("ready ") {
        return Err(format!("the server does not start: {line:?}").into());
    }
    let described = serde_json::from_str(&fs::read_to_string(data.join("data/demo.json"))?)?;
    Ok((child, described))
}
