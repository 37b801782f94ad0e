//! Rules and scripts are each other's image.

use super::*;
use crate::{Action, Limits, Mail, Script};
use congvu_types::Timestamp;
use proptest::{collection::vec, prelude::*};

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 ]{1,12}", "[ -~]{1,20}", "\\PC{1,12}", Just("\\\"${x}\\".to_owned())]
        .prop_filter("no control characters", |text| !text.contains(char::is_control))
}

fn a_condition() -> impl Strategy<Value = Condition> {
    let field = prop_oneof![Just(Field::From), Just(Field::To), Just(Field::Subject), Just(Field::Body)];
    let how = prop_oneof![Just(How::Contains), Just(How::Lacks), Just(How::Is)];
    prop_oneof![
        (field, how, words()).prop_map(|(field, how, words)| Condition::Says { field, how, words }),
        (any::<bool>(), 0..1_u64 << 42).prop_map(|(is_over, bytes)| Condition::Size { is_over, bytes }),
        Just(Condition::HasAttachment),
    ]
}

fn an_action() -> impl Strategy<Value = RuleAction> {
    prop_oneof![
        words().prop_map(RuleAction::MoveTo),
        "[a-z$][a-z0-9_-]{0,9}".prop_map(RuleAction::Label),
        Just(RuleAction::MarkRead),
        Just(RuleAction::Star),
        "[a-z]{1,9}@[a-z]{1,9}\\.example".prop_map(RuleAction::Forward),
        Just(RuleAction::Delete),
        Just(RuleAction::Stop),
    ]
}

fn a_rule() -> impl Strategy<Value = FilterRule> {
    let name = words().prop_map(|name| name.trim().to_owned()).prop_filter("a name", |name| !name.is_empty());
    let join = prop_oneof![Just(Join::All), Just(Join::Any)];
    (name, any::<bool>(), join, vec(a_condition(), 0..5), vec(an_action(), 1..5)).prop_map(
        |(name, is_on, join, conditions, actions)| FilterRule {
            name,
            is_on,
            join: if conditions.is_empty() { Join::All } else { join },
            conditions,
            actions,
        },
    )
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(rules in vec(a_rule(), 0..6)) {
        let text = write_rules(&rules, &|_| true).unwrap();
        prop_assert!(Script::parse(&text).is_ok(), "{:?} {text}", Script::parse(&text));
        prop_assert_eq!(read_rules(&text), Some(rules));
        // Changed by hand, it is no longer ours.
        prop_assert_eq!(read_rules(&format!("{text}keep;\n")), None);
    }

    #[test]
    fn anything_else_is_no_rules(text in "\\PC{0,80}") {
        prop_assert!(read_rules(&text).is_none_or(|rules| rules.is_empty() && text.is_empty()));
    }
}

fn rule(conditions: Vec<Condition>, actions: Vec<RuleAction>) -> FilterRule {
    FilterRule { name: "Báo cáo".to_owned(), is_on: true, join: Join::All, conditions, actions }
}

#[test]
fn a_rule_does_what_it_says() {
    let says = |field, how, words: &str| Condition::Says { field, how, words: words.to_owned() };
    let rules = [
        rule(
            vec![
                says(Field::From, How::Is, "Mai@X.Example"),
                says(Field::Subject, How::Contains, "BÁO CÁO"),
                says(Field::Body, How::Lacks, "khẩn"),
                Condition::Size { is_over: false, bytes: 1_000_000 },
                Condition::HasAttachment,
            ],
            vec![
                RuleAction::Label("bao-cao".to_owned()),
                RuleAction::Star,
                RuleAction::MoveTo("Báo cáo".to_owned()),
                RuleAction::Forward("hung@x.example".to_owned()),
                RuleAction::Stop,
            ],
        ),
        rule(Vec::new(), vec![RuleAction::Delete]),
    ];
    let text = write_rules(&rules, &|_| true).unwrap();
    assert_eq!(
        text,
        "require [\"body\", \"comparator-i;unicode-casemap\", \"copy\", \"fileinto\", \"imap4flags\", \"special-use\", \
         \"vnd.congvu.attachment\"];\n\n# rule: Báo cáo\nif allof (\n    \
         address :comparator \"i;unicode-casemap\" :is \"from\" \"Mai@X.Example\",\n    \
         header :comparator \"i;unicode-casemap\" :contains \"subject\" \"BÁO CÁO\",\n    \
         not body :comparator \"i;unicode-casemap\" :contains :text \"khẩn\",\n    \
         size :under 1000000,\n    attachment\n) {\n    addflag \"bao-cao\";\n    addflag \"\\\\Flagged\";\n    \
         fileinto \"Báo cáo\";\n    redirect :copy \"hung@x.example\";\n    stop;\n}\n\n\
         # rule: Báo cáo\nif true {\n    fileinto :specialuse \"\\\\Trash\" \"Trash\";\n}\n"
    );
    let script = Script::parse(&text).unwrap();
    let run = |raw: &str| {
        let raw = raw.replace('\n', "\r\n");
        script.run(&Mail::new(raw.as_bytes(), Timestamp::from_seconds(0)), &Limits::default()).actions
    };
    let mail = "From: Le Mai <mai@x.example>\nSubject: báo cáo tuần\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n\
        --b\nContent-Type: application/pdf\n\n%PDF\n--b--\n";
    let flags = vec!["bao-cao".to_owned(), "\\Flagged".to_owned()];
    assert_eq!(
        run(mail),
        [
            Action::FileInto { mailbox: "Báo cáo".to_owned(), flags, may_create: false, special_use: None },
            Action::Redirect { address: "hung@x.example".to_owned() },
        ]
    );
    let trashed = [Action::FileInto {
        mailbox: "Trash".to_owned(),
        flags: Vec::new(),
        may_create: false,
        special_use: Some("\\Trash".to_owned()),
    }];
    assert_eq!(run(&mail.replace("báo cáo", "mời họp")), trashed);
    assert_eq!(run(&mail.replace("--b\nContent-Type: application/pdf\n\n%PDF\n", "")), trashed);
}

#[test]
fn rules_that_cannot_be_are_refused() {
    let fault =
        |rule: FilterRule| write_rules(&[rule], &|to| to.to_string().ends_with("@x.example")).unwrap_err();
    let forward = |to: &str| rule(Vec::new(), vec![RuleAction::Forward(to.to_owned())]);
    assert_eq!(fault(forward("me@private.example")), (0, RuleFault::ForwardRefused));
    assert_eq!(fault(forward("nobody")), (0, RuleFault::BadAddress));
    assert_eq!(fault(rule(Vec::new(), Vec::new())), (0, RuleFault::NoAction));
    assert_eq!(fault(rule(Vec::new(), vec![RuleAction::Label("a b".to_owned())])), (0, RuleFault::BadLabel));
    assert_eq!(fault(rule(Vec::new(), vec![RuleAction::MoveTo(String::new())])), (0, RuleFault::BadWords));
    let named = |name: &str| FilterRule { name: name.to_owned(), ..rule(Vec::new(), vec![RuleAction::Stop]) };
    assert_eq!(fault(named("two\nkeep;")), (0, RuleFault::BadWords));
    assert_eq!(fault(named(" ")), (0, RuleFault::NoName));
    assert_eq!(fault(named(&"x".repeat(600))), (0, RuleFault::TooMuch));
    assert!(write_rules(&[forward("me@x.example")], &|_| true).is_ok());
}
