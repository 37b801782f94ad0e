//! Formatting, clippy, documentation and the front end's own checks: all clean, or the command fails.

use crate::{
    needs,
    steps::{Outcome, cargo, command, root, step},
    tidy,
};

pub(crate) fn run() -> Outcome {
    needs::build_webapp()?;
    rust()?;
    tidy::run()?;
    front_end()
}

/// `cargo fmt --check`, `cargo clippy -D warnings`, documentation without warnings.
pub(crate) fn rust() -> Outcome {
    step("cargo fmt", &mut cargo(&["fmt", "--all", "--check"]))?;
    step(
        "cargo clippy",
        &mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    let mut doc = cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    step("cargo doc", doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// The front end: lint, type-check, tests.
pub(crate) fn front_end() -> Outcome {
    for script in ["lint", "check", "test"] {
        let mut npm = command("npm", &["run", "--silent", script]);
        step(&format!("webapp: {script}"), npm.current_dir(root().join("webapp")))?;
    }
    Ok(())
}
