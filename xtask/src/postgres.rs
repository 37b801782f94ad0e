//! A PostgreSQL of the tests' own, in a temporary directory, gone when dropped.

use crate::{
    needs::{is_root, postgres_programs},
    steps::Outcome,
};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

/// A running PostgreSQL server.
pub(crate) struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    /// The URL to connect with.
    pub(crate) url: String,
}

impl Postgres {
    /// Makes a cluster and starts it on a free port of the loopback interface.
    pub(crate) fn start() -> Outcome<Self> {
        let programs = postgres_programs().ok_or("PostgreSQL is not installed")?;
        let directory = std::env::temp_dir().join(format!("congvu-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&directory).map_err(|e| format!("making {}: {e}", directory.display()))?;
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(&directory).status();
            owned.map_err(|e| format!("chown: {e}"))?;
        }
        let port = free_port()?;
        let server =
            Self { programs, url: format!("postgres://congvu@127.0.0.1:{port}/postgres"), directory };
        let data = server.data();
        server.run(
            "initdb",
            &["-D", &data, "-A", "trust", "-U", "congvu", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        )?;
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=300",
            server.directory.display()
        );
        server.run("pg_ctl", &["-D", &data, "-w", "-o", &options, "-l", &format!("{data}/log"), "start"])?;
        Ok(server)
    }

    fn data(&self) -> String {
        self.directory.join("data").display().to_string()
    }

    /// Runs one of PostgreSQL's programs; as root by the user `postgres`, since it refuses root.
    fn run(&self, program: &str, arguments: &[&str]) -> Outcome {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // Output goes to a file: a server that inherits our pipe would keep it open.
        let log = std::fs::File::create(
            std::env::temp_dir().join(format!("congvu-{program}-{}.log", std::process::id())),
        )
        .map_err(|e| format!("{program}: {e}"))?;
        let copy = log.try_clone().map_err(|e| format!("{program}: {e}"))?;
        let status = command.args(arguments).current_dir("/").stdout(log).stderr(copy).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!(
                "{program} failed ({status}); see congvu-{program}-*.log in the temporary directory"
            )),
            Err(e) => Err(format!("{program} does not start: {e}")),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        if let Err(reason) = self.run("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]) {
            eprintln!("xtask: {reason}");
        }
        remove(&self.directory);
    }
}

fn remove(directory: &Path) {
    if let Err(e) = std::fs::remove_dir_all(directory) {
        eprintln!("xtask: removing {}: {e}", directory.display());
    }
}

fn free_port() -> Outcome<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| format!("finding a free port: {e}"))
}
