//! `congvu config check`, `congvu regulation check`: reads a file and says line by line what is wrong.

use crate::{
    config::Config,
    output::{Failure, Printer},
};
use congvu_regulation::Regulation;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Sound<'a> {
    file: &'a Path,
    sound: bool,
}

fn say_sound(printer: Printer, file: &Path) -> Result<(), Failure> {
    printer.print(&Sound { file, sound: true }, |s| format!("{}: nothing wrong", s.file.display()))
}

pub(super) fn config(printer: Printer, file: &Path) -> Result<(), Failure> {
    Config::load(file)?;
    say_sound(printer, file)
}

pub(super) fn regulation(printer: Printer, file: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure(format!("{} cannot be read: {e}", file.display())))?;
    let findings = Regulation::parse(&text).err().unwrap_or_default();
    if findings.is_empty() {
        return say_sound(printer, file);
    }
    let lines = findings.iter().map(|f| format!("{}:{}: {}", file.display(), f.line, f.message));
    Err(Failure(lines.collect::<Vec<_>>().join("\n")))
}
