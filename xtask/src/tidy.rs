//! The house rules that prose cannot enforce (ARCHITECTURE.md): arrows between crates, file sizes, citations
//! that lead somewhere, and nothing in the tree that belongs to one machine.

use crate::steps::{Outcome, root};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Files longer than this hide two things; lists and tests are judged by people.
const MAX_LINES: usize = 600;

pub(crate) fn run() -> Outcome {
    println!("==> tidy");
    let mut faults = Vec::new();
    arrows(&mut faults)?;
    let files = rust_files(&root().join("crates"))?;
    sizes(&files, &mut faults)?;
    citations(&files, &mut faults)?;
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    Err(format!("{} house rules are broken", faults.len()))
}

/// Each crate depends only on the crates that `arrows.toml` lists for it.
fn arrows(faults: &mut Vec<String>) -> Outcome {
    let table: BTreeMap<String, BTreeSet<String>> = toml::from_str(&read(&root().join("xtask/arrows.toml"))?)
        .map_err(|e| format!("xtask/arrows.toml: {e}"))?;
    for (krate, allowed) in &table {
        let manifest: toml::Table =
            toml::from_str(&read(&root().join("crates").join(krate).join("Cargo.toml"))?)
                .map_err(|e| format!("{krate}: {e}"))?;
        let Some(toml::Value::Table(dependencies)) = manifest.get("dependencies") else { continue };
        for used in dependencies.keys().filter_map(|name| name.strip_prefix("congvu-")) {
            if !allowed.contains(used) {
                faults.push(format!("crates/{krate} must not depend on {used} (xtask/arrows.toml)"));
            }
        }
    }
    for entry in list(&root().join("crates"))? {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if !table.contains_key(&name) {
            faults.push(format!("crates/{name} is not in xtask/arrows.toml"));
        }
    }
    Ok(())
}

fn sizes(files: &[PathBuf], faults: &mut Vec<String>) -> Outcome {
    for file in files.iter().filter(|f| !is_test(f)) {
        let text = read(file)?;
        let lines = text.lines().take_while(|l| *l != "#[cfg(test)]").count();
        if lines > MAX_LINES {
            faults.push(format!("{} has {lines} lines: split it", file.display()));
        }
    }
    Ok(())
}

/// An RFC cited in code stands in docs/rfcs.md; a rule cited stands in docs/regulation.md, and a rule that is
/// marked done there is cited by code and by a test.
fn citations(files: &[PathBuf], faults: &mut Vec<String>) -> Outcome {
    let rfcs = read(&root().join("docs/rfcs.md"))?;
    let rules = read(&root().join("docs/regulation.md"))?;
    let (mut in_code, mut in_tests) = (BTreeSet::new(), BTreeSet::new());
    let mut every = files.to_vec();
    every.extend(all_files(&root().join("tests"))?.into_iter().filter(|f| !is_vector(f)));
    every.extend(all_files(&root().join("webapp/e2e")).unwrap_or_default());
    for file in &every {
        let Ok(text) = fs::read_to_string(file) else { continue };
        for rfc in words_after(&text, "RFC ") {
            if !rfcs.contains(&format!("RFC {rfc}")) {
                faults.push(format!("{}: RFC {rfc} is not in docs/rfcs.md", file.display()));
            }
        }
        let found = rule_ids(&text);
        if is_test(file) || text.contains("#[cfg(test)]") {
            in_tests.extend(found.iter().cloned());
        }
        if !is_test(file) {
            in_code.extend(found);
        }
    }
    for rule in &in_code {
        if !rules.contains(rule.as_str()) {
            faults.push(format!("rule {rule} is cited in code but not in docs/regulation.md"));
        }
    }
    for line in rules.lines().filter(|l| l.trim_end().ends_with("| done |")) {
        let Some(rule) = rule_ids(line).into_iter().next() else { continue };
        if !in_code.contains(&rule) || !in_tests.contains(&rule) {
            faults.push(format!("rule {rule} is marked done but is not cited in both code and a test"));
        }
    }
    Ok(())
}

/// The numbers that follow `prefix` in the text.
fn words_after(text: &str, prefix: &str) -> BTreeSet<String> {
    text.split(prefix)
        .skip(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
        .filter(|number| number.len() >= 3)
        .collect()
}

/// Rule ids such as `S9.1` or `S2.2b`.
fn rule_ids(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| {
            let Some((article, item)) = word.strip_prefix('S').and_then(|rest| rest.split_once('.')) else {
                return false;
            };
            let digits = item.trim_end_matches(|c: char| c.is_ascii_lowercase());
            !article.is_empty()
                && article.len() <= 2
                && article.bytes().all(|b| b.is_ascii_digit())
                && digits.len() == 1
                && item.len() <= 2
                && digits.bytes().all(|b| b.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

/// Messages and markup that others collected (`tests/vectors`) cite what they like.
fn is_vector(file: &Path) -> bool {
    file.starts_with(root().join("tests/vectors"))
}

fn is_test(file: &Path) -> bool {
    let parts = file.strip_prefix(root()).unwrap_or(file);
    parts.components().any(|c| ["tests", "e2e"].iter().any(|t| c.as_os_str() == *t))
        || file.ends_with("tests.rs")
}

fn rust_files(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = all_files(directory)?;
    files.retain(|f| f.extension().is_some_and(|e| e == "rs"));
    Ok(files)
}

fn all_files(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in list(directory)? {
        if path.is_dir() {
            files.extend(all_files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn list(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_ids_and_rfcs_are_found() {
        let found = rule_ids("`S9.1` (Điều 9), S2.2b. and not S123.4, AS9.1x or S9.123");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["S2.2b", "S9.1"]);
        assert_eq!(words_after("RFC 9051 §2; RFC x", "RFC ").into_iter().collect::<Vec<_>>(), ["9051"]);
    }
}
