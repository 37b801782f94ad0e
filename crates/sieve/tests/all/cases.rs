//! The table of cases. A file holds cases; each begins with `== title` and has sections, each behind a line `-- name`:
//! `envelope` (from, to), `mailboxes`, `now` (RFC 5322), `mail`, `script`, and either `does`, an action a line, or `faults`.
//! Without `mail` it is the one before.

use congvu_message::date_and_zone;
use congvu_sieve::{Action, Limits, Mail, Script};
use congvu_types::Timestamp;
use std::{collections::HashMap, fs, path::Path};

fn worded(action: &Action) -> String {
    let with =
        |flags: &[String]| if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(" ")) };
    match action {
        Action::Keep { flags } => format!("keep{}", with(flags)),
        Action::FileInto { mailbox, flags, may_create, special_use } => {
            let special_use =
                special_use.as_ref().map_or_else(String::new, |name| format!(" :specialuse {name}"));
            format!(
                "fileinto {mailbox}{}{}{special_use}",
                with(flags),
                if *may_create { " :create" } else { "" }
            )
        }
        Action::Redirect { address } => format!("redirect {address}"),
        Action::Reject { reason, is_early } => {
            format!("{} {}", if *is_early { "ereject" } else { "reject" }, reason.trim_end())
        }
        Action::Vacation(answer) => {
            let mut line = format!("vacation {}", answer.reason.trim_end());
            for (name, value) in
                [("subject", &answer.subject), ("from", &answer.from), ("handle", &answer.handle)]
            {
                if let Some(value) = value {
                    line += &format!(" :{name} {value}");
                }
            }
            if !answer.addresses.is_empty() {
                line += &format!(" :addresses {}", answer.addresses.join(","));
            }
            line + &answer.seconds.map_or_else(String::new, |seconds| format!(" :seconds {seconds}"))
        }
    }
}

fn outcome(sections: &HashMap<String, String>, mail: &str) -> String {
    let section = |name: &str| sections.get(name).map_or("", String::as_str);
    let script = match Script::parse(section("script")) {
        Ok(script) => script,
        Err(errors) => return errors.iter().map(|error| format!("{error}\n")).collect(),
    };
    let raw = mail.replace('\n', "\r\n");
    let now =
        date_and_zone(section("now").trim()).map_or(Timestamp::from_seconds(1_795_000_000), |(now, _)| now);
    let mailboxes = section("mailboxes").to_owned();
    let exists = move |name: &str| mailboxes.lines().any(|line| line == name);
    let mut envelope = section("envelope").split_whitespace();
    let mut view = Mail::new(raw.as_bytes(), now);
    view.envelope_from = envelope.next().map(|from| if from == "<>" { "" } else { from });
    view.envelope_to = envelope.next();
    view.mailbox_exists = &exists;
    view.special_use_exists = &|mailbox, name| name == "\\Trash" && mailbox.is_none_or(|m| m == "Bin");
    let found = script.run(&view, &Limits::default());
    let mut out: String = found.actions.iter().map(|action| worded(action) + "\n").collect();
    if found.actions.is_empty() {
        out.push_str("discard\n");
    }
    if let Some((line, fault)) = found.fault {
        out += &format!("broken off at line {line}: {fault}\n");
    }
    out
}

fn run(file: &Path, wrong: &mut Vec<String>) -> usize {
    let text = fs::read_to_string(file).unwrap();
    let (mut count, mut mail) = (0, String::new());
    for case in text.split("\n== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let mut sections = HashMap::new();
        for section in format!("\n{rest}").split("\n-- ").skip(1) {
            let (name, content) = section.split_once('\n').unwrap_or((section, ""));
            sections.insert(name.trim().to_owned(), format!("{}\n", content.trim_end_matches('\n')));
        }
        if let Some(own) = sections.get("mail") {
            mail.clone_from(own);
        }
        let expected = sections.get("does").or_else(|| sections.get("faults")).unwrap();
        let came = outcome(&sections, &mail).replace("\r\n", "\n");
        if came.trim() != expected.trim() {
            wrong.push(format!("== {title}\n-- expected\n{expected}-- came\n{came}"));
        }
        count += 1;
    }
    count
}

#[test]
fn scripts_do_what_the_cases_say() {
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")).unwrap() {
        count += run(&entry.unwrap().path(), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 70, "{count}");
}
