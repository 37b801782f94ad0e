//! Every check and every test, in the order in which a failure is cheapest to find.

use crate::{
    lint, needs,
    postgres::Postgres,
    steps::{Outcome, cargo, command, have, root, search_path, step},
    tidy,
};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Leaves out formatting, clippy, documentation and the front end's checks.
    #[arg(long)]
    skip_lint: bool,
    /// Leaves out the end-to-end and crash tests.
    #[arg(long)]
    skip_e2e: bool,
}

pub(crate) fn run(options: &Options) -> Outcome {
    needs::packages()?;
    needs::build_webapp()?;
    if !options.skip_lint {
        tidy::run()?;
        lint::rust()?;
        lint::front_end()?;
    }
    let postgres = Postgres::start()?;
    step("build congvu for the end-to-end tests", &mut cargo(&["build", "--package", "congvu"]))?;
    workspace_tests(&postgres)?;
    if !options.skip_e2e {
        end_to_end(&postgres)?;
    }
    println!("==> all checks and tests passed");
    Ok(())
}

/// Unit, property, protocol and contract tests: nextest where it is installed, else cargo's own runner.
fn workspace_tests(postgres: &Postgres) -> Outcome {
    let mut tests = if have("cargo-nextest") {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast"])
    };
    tests.env("CONGVU_TEST_POSTGRES", &postgres.url).env("PATH", search_path());
    step("workspace tests", &mut tests)
}

/// The stories told with clients that others wrote, each a program under `tests/e2e`.
fn end_to_end(postgres: &Postgres) -> Outcome {
    let program = root().join("target/debug/congvu");
    let mut python =
        command("python3", &["-m", "unittest", "discover", "-v", "-s", "tests/e2e", "-p", "test_*.py"]);
    python
        .env("CONGVU", &program)
        .env("CONGVU_TEST_POSTGRES", &postgres.url)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PATH", search_path());
    step("end-to-end tests", &mut python)
}
