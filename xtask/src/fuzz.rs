//! Fuzzes everything that reads bytes from outside (`fuzz/`), on stable Rust: libFuzzer with the compiler's own coverage.

use crate::steps::{Outcome, cargo, command, root, step};
use clap::Args;
use std::{fs, process::Command};

/// What `cargo fuzz` passes, but for the sanitizers, which need a nightly compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";
/// Bytes of an input.
const LONGEST: usize = 16 * 1024;

#[derive(Args)]
pub(crate) struct Options {
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only the targets whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let host = host()?;
    // With a target named, build scripts and macros are not instrumented.
    let manifest = ["--manifest-path", "fuzz/Cargo.toml", "--release", "--target", &host];
    step("build the fuzz targets", cargo(&["build"]).args(manifest).env("RUSTFLAGS", COVERAGE))?;
    for target in targets()?.iter().filter(|name| name.contains(&options.only)) {
        let program = root().join("fuzz/target").join(&host).join("release").join(target);
        let (corpus, artifacts) = (format!("fuzz/corpus/{target}"), format!("fuzz/artifacts/{target}/"));
        for directory in [&corpus, &artifacts] {
            fs::create_dir_all(root().join(directory)).map_err(|e| format!("{directory}: {e}"))?;
        }
        let mut fuzz = command(program.to_str().ok_or("the checkout's path is not UTF-8")?, &[&corpus]);
        let seeds = format!("fuzz/seeds/{target}");
        if root().join(&seeds).is_dir() {
            fuzz.arg(&seeds);
        }
        fuzz.args([
            format!("-max_total_time={}", options.seconds),
            format!("-max_len={LONGEST}"),
            format!("-artifact_prefix={artifacts}"),
            "-timeout=5".to_owned(),
            "-rss_limit_mb=2048".to_owned(),
            "-verbosity=0".to_owned(),
        ]);
        step(&format!("fuzz {target}"), &mut fuzz)?;
    }
    Ok(())
}

/// The compiler's own target, such as `x86_64-unknown-linux-gnu`.
fn host() -> Outcome<String> {
    let asked =
        Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc does not start: {e}"))?;
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say its host".to_owned())
}

/// A file of `fuzz/targets` is a target.
fn targets() -> Outcome<Vec<String>> {
    let directory = fs::read_dir(root().join("fuzz/targets")).map_err(|e| format!("fuzz/targets: {e}"))?;
    let mut names: Vec<String> =
        directory.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}
