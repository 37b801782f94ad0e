//! Installs what the tests need: Debian packages when run as root, npm packages for the front end.

use crate::steps::{Outcome, command, have, root, search_path, step};
use std::{path::Path, process::Command};

/// Programs the tests call, with the Debian package that has each.
const PROGRAMS: &[(&str, &str)] = &[
    ("swaks", "swaks"),
    ("mbsync", "isync"),
    ("chromium", "chromium"),
    ("smtp-sink", "postfix"),
    ("strace", "strace"),
    ("python3", "python3"),
    ("cc", "build-essential"),
];

/// The directory of PostgreSQL's own programs, once it is installed.
pub(crate) fn postgres_programs() -> Option<std::path::PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.flatten().map(|v| v.path().join("bin")).find(|bin| bin.join("initdb").exists())
}

/// Installs missing Debian packages (as root), or says which are missing.
pub(crate) fn packages() -> Outcome {
    let mut missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !have(program)).map(|(_, package)| *package).collect();
    if postgres_programs().is_none() {
        missing.push("postgresql");
    }
    // swaks speaks TLS by a library of its own package.
    if !Command::new("perl").args(["-MNet::SSLeay", "-e", "1"]).output().is_ok_and(|out| out.status.success())
    {
        missing.push("libnet-ssleay-perl");
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() {
        return Err(format!("install these Debian packages first: {}", missing.join(" ")));
    }
    step("apt-get update", apt().args(["update", "-q"]))?;
    let mut install = apt();
    install.args(["install", "-q", "-y", "--no-install-recommends"]).args(&missing);
    step(&format!("apt-get install {}", missing.join(" ")), &mut install)
}

fn apt() -> Command {
    let mut apt = command("apt-get", &[]);
    apt.env("DEBIAN_FRONTEND", "noninteractive").env("PATH", search_path());
    apt
}

/// Returns whether this runs as root.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

/// Installs the front end's packages when they are not there or older than the lock file.
pub(crate) fn npm_packages() -> Outcome {
    let webapp = root().join("webapp");
    let installed = webapp.join("node_modules/.package-lock.json");
    if is_newer(&installed, &webapp.join("package-lock.json")) {
        return Ok(());
    }
    let mut npm = command("npm", &["ci", "--no-audit", "--no-fund"]);
    step("npm ci", npm.current_dir(webapp))
}

/// Returns whether `target` exists and is not older than `source`.
pub(crate) fn is_newer(target: &Path, source: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|m| m.modified());
    matches!((changed(target), changed(source)), (Ok(target), Ok(source)) if target >= source)
}

/// Builds the front end, which the server embeds.
pub(crate) fn build_webapp() -> Outcome {
    npm_packages()?;
    let mut npm = command("npm", &["run", "--silent", "build"]);
    step("build the web application", npm.current_dir(root().join("webapp")))
}
