//! Builds everything and runs the sample agency until it is interrupted.

use crate::{
    needs,
    steps::{Outcome, cargo, command, root, step},
};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    needs::build_webapp()?;
    step("build congvu", &mut cargo(&["build", "--release", "--package", "congvu"]))?;
    let program = root().join("target/release/congvu");
    let program = program.to_str().ok_or("the checkout's path is not UTF-8")?;
    let mut demo = command(program, &["demo"]);
    let status = demo.args(arguments).status().map_err(|e| format!("{program} does not start: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("congvu demo ended with {status}")) }
}
