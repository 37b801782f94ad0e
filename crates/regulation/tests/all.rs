//! Decision tables: facts → decision + citation, a row per case, and what is told about bad files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use congvu_regulation::{AccountKind, Decision, Entitlement, Regulation};
use serde::Deserialize;

const SAMPLE: &str = include_str!("../../../regulations/bqlctgt.toml");

#[derive(Deserialize)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    question: String,
    given: String,
    #[serde(default)]
    position: Option<String>,
    #[serde(default)]
    existing: usize,
    answer: String,
    #[serde(default)]
    citation: String,
}

fn told(decision: Decision<'_>) -> (&'static str, String) {
    match decision {
        Decision::Allowed => ("allowed", String::new()),
        Decision::Warned(c) => ("warned", format!("{} {c}", c.rule)),
        Decision::Refused(c) => ("refused", format!("{} {c}", c.rule)),
    }
}

/// S1.2b, S3.2 (Điều 3), S2.2b (Điều 2), S8.3a (Điều 8), S9.1 (Điều 9).
#[test]
fn every_row_of_the_decision_table_holds() {
    let regulation = Regulation::parse(SAMPLE).unwrap();
    let table: Table = toml::from_str(include_str!("tables/decisions.toml")).unwrap();
    for case in table.case {
        let (answer, citation) = match case.question.as_str() {
            "entitlement" => {
                let kind = AccountKind::by_name(&case.given).unwrap();
                let position = case.position.as_deref();
                told(regulation.entitlement(&Entitlement { kind, position, existing: case.existing }))
            }
            "recipient" => told(regulation.recipient(&case.given.parse().unwrap())),
            "outgoing" => match regulation.outgoing(AccountKind::by_name(&case.given).unwrap()) {
                None => ("free", String::new()),
                Some(rule) => ("held", format!("{} {}", rule.citation.rule, rule.citation)),
            },
            "official" => match regulation.is_official(&case.given.parse().unwrap()) {
                Some(true) => ("official", String::new()),
                Some(false) => ("unofficial", String::new()),
                None => ("unknown", String::new()),
            },
            other => panic!("no such question: {other}"),
        };
        assert_eq!(
            (answer, citation.as_str()),
            (case.answer.as_str(), case.citation.as_str()),
            "{} {}",
            case.question,
            case.given
        );
    }
}

#[test]
fn no_file_means_a_plain_mail_server() {
    let plain = Regulation::default();
    let asked = Entitlement { kind: AccountKind::Personal, position: None, existing: 9 };
    assert_eq!(plain.entitlement(&asked), Decision::Allowed);
    assert!(plain.outgoing(AccountKind::Agency).is_none());
    assert_eq!(plain.is_official(&"x.example".parse().unwrap()), None);
}

#[test]
fn faults_are_told_with_their_line() {
    for (right, wrong, words) in [
        ("accounts = [\"agency\"]", "accounts = [\"agencies\"]", "agencies"),
        ("\"4h\"", "\"4 hours\"", "duration"),
        ("\"gov.example\"", "\"gov..example\"", "not a domain"),
        ("min-length = 12", "min-length = 3", "8 to 64"),
        ("positions =", "postions =", "postions"),
        ("article = 9", "article = \"nine\"", ""),
    ] {
        let bad = SAMPLE.replacen(right, wrong, 1);
        let line = bad.lines().position(|l| l.contains(wrong)).unwrap() + 1;
        let findings = Regulation::parse(&bad).unwrap_err();
        let told = findings.iter().any(|f| f.line == line && f.message.contains(words));
        assert!(told, "{wrong} on line {line}: {findings:?}");
    }
    let findings = Regulation::parse(&SAMPLE.replace("article = 9\n", "")).unwrap_err();
    assert!(findings[0].message.contains("article"), "{findings:?}");
}
