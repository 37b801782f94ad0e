//! Scripts that mean harm end, within their budget.

use congvu_sieve::{Action, Limits, Mail, RunFault, Script};
use congvu_types::Timestamp;
use proptest::prelude::*;

const RAW: &[u8] = b"From: a@x.example\r\nSubject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\r\n\r\nbody\r\n";

fn run(script: &str) -> congvu_sieve::Outcome {
    let script = Script::parse(script).unwrap_or_else(|errors| panic!("{errors:?}"));
    script.run(&Mail::new(RAW, Timestamp::from_seconds(1_795_000_000)), &Limits::default())
}

#[test]
fn variables_that_double_end() {
    let script =
        format!("require \"variables\"; set \"a\" \"xx\"; {}", "set \"a\" \"${a}${a}\";".repeat(4_000));
    let found = run(&script);
    assert!(matches!(found.actions.as_slice(), [Action::Keep { .. }]), "{found:?}");
    let mut many = String::from("require \"variables\"; set \"a\" \"x\";");
    many.push_str(&"set \"a\" \"${a}${a}\";".repeat(14));
    for name in 0..100 {
        many.push_str(&format!("set \"b{name}\" \"${{a}}\";"));
    }
    assert_eq!(run(&many).fault.map(|(_, fault)| fault), Some(RunFault::TooMuchMemory));
    let big = "\"${a}${a}${a}${a}${a}${a}${a}${a}\",".repeat(50);
    let list = format!(
        "{many_start} redirect \"${{a}}\"; if string [{big} \"\"] \"y\" {{ stop; }}",
        many_start =
            "require \"variables\"; set \"a\" \"x\";".to_owned() + &"set \"a\" \"${a}${a}\";".repeat(14)
    );
    assert!(run(&list).fault.is_some());
}

#[test]
fn patterns_that_take_long_end() {
    let stars = "*a".repeat(2_000);
    let test = format!("if header :matches \"subject\" \"{stars}*c\" {{ stop; }}");
    assert_eq!(run(&test).fault, None);
    let long = format!("Subject: {}\r\n\r\n", "a".repeat(60_000));
    let script =
        Script::parse(&format!("if header :matches \"subject\" \"*{}b\" {{ stop; }}", "a".repeat(10_000)))
            .unwrap();
    let found = script.run(&Mail::new(long.as_bytes(), Timestamp::from_seconds(0)), &Limits::default());
    assert_eq!(found.fault, Some((1, RunFault::TooLong)));
    assert!(matches!(found.actions.as_slice(), [Action::Keep { .. }]));
}

#[test]
fn depth_and_size_are_bounded() {
    for script in [
        "if true { ".repeat(5_000),
        format!("if {}", "not ".repeat(5_000)),
        format!("if {}", "anyof(".repeat(5_000)),
        "keep;".repeat(50_000),
        format!("require [{}\"x\"];", "\"fileinto\",".repeat(20_000)),
        "[".repeat(10_000),
        "/*".repeat(10_000),
        "x".repeat(300_000),
    ] {
        assert!(Script::parse(&script).is_err());
    }
    let deep = format!("{} keep; {}", "if true { ".repeat(20), "}".repeat(20));
    assert!(Script::parse(&deep).is_ok());
    let faults = Script::parse(&"bad;".repeat(1_000)).unwrap_err();
    assert_eq!(faults.len(), 50);
}

proptest! {
    #[test]
    fn nothing_panics(script in "(if|elsif|else|require|not|allof|anyof|header|address|set|keep|fileinto|\\(|\\)|\\[|\\]|\\{|\\}|,|;| |\n|:[a-z]{1,9}|\"[a-z$\\{\\}\\\\*?;]{0,9}\"|text:|/\\*|\\*/|#|[0-9]{1,20}[KMGX]?|\\PC){0,60}", raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(script) = Script::parse(&script) {
            let _ = script.run(&Mail::new(&raw, Timestamp::from_seconds(0)), &Limits::default());
        }
    }

    #[test]
    fn right_scripts_run_over_anything(raw in "(Subject|From|Received|Date|: |;|<|>|@|\\+|,|\r\n|\r\n\r\n|=\\?utf-8\\?[QB]\\?|\\?=|[a-z0-9 ]{0,9}|\\PC){0,40}", key in "[a-z*?\\\\]{0,12}") {
        let key = key.replace('\\', "\\\\");
        let script = format!(
            "require [\"variables\", \"envelope\", \"body\", \"date\", \"index\", \"relational\", \"imap4flags\", \"subaddress\",\
             \"fileinto\", \"comparator-i;unicode-casemap\", \"comparator-i;ascii-numeric\", \"mailbox\"];\
             if header :matches \"subject\" \"{key}\" {{ set \"a\" \"${{1}}\"; addflag \"${{a}}\"; }}\
             if address :matches :detail \"from\" \"{key}\" {{ set :length \"b\" \"${{0}}\"; }}\
             if header :comparator \"i;unicode-casemap\" :matches \"subject\" \"*{key}*\" {{ set :upperfirst \"c\" \"${{2}}\"; }}\
             if date :index 1 :last \"received\" \"iso8601\" \"{key}\" {{ stop; }}\
             if header :value \"gt\" :comparator \"i;ascii-numeric\" \"subject\" \"{key}\" {{ keep; }}\
             if body :content \"text\" :contains \"{key}\" {{ fileinto \"x${{a}}${{b}}${{c}}\"; }}"
        );
        let script = Script::parse(&script).unwrap();
        let found = script.run(&Mail::new(raw.as_bytes(), Timestamp::from_seconds(0)), &Limits::default());
        prop_assert!(found.fault.is_some() || !found.actions.is_empty());
    }
}
