use super::*;
use proptest::prelude::*;

fn words(fields: Fields, text: &str) -> Condition {
    Condition::Words(Phrase::new(fields, text, false).unwrap())
}

fn anywhere(text: &str) -> Condition {
    words(Fields::ALL, text)
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// Conditions, all of them wanted.
fn wanted(text: &str) -> Vec<Condition> {
    let terms = parse(text);
    assert!(terms.iter().all(|t| !t.is_negated), "{text}");
    terms.into_iter().map(|t| t.condition).collect()
}

#[test]
fn operators_are_known_in_both_languages_with_accents_and_without() {
    let hung = [words(Fields::FROM, "hùng")];
    for text in ["từ:hùng", "TỪ: hùng", "tu:hùng", "from:hùng", "người gửi:\"hùng\"", "tu\u{31b}\u{300}:hùng"]
    {
        assert_eq!(wanted(text), hung, "{text}");
    }
    for text in ["đến:mai", "den:mai", "to:mai"] {
        assert_eq!(wanted(text), [words(EVERYBODY_ELSE, "mai")], "{text}");
    }
    let report = [words(Fields::SUBJECT, "báo cáo")];
    for text in [
        "chủ đề:\"báo cáo\"",
        "chu de:“báo cáo”",
        "chu-de:\"báo cáo\"",
        "subject:\"báo cáo\"",
        "Tiêu  đề: \"báo cáo",
    ] {
        assert_eq!(wanted(text), report, "{text}");
    }
    for text in
        ["có:đính kèm", "co:dinh kem", "có: tệp đính kèm", "has:attachment", "có:\"đính kèm\"", "co:dinh-kem"]
    {
        assert_eq!(wanted(text), [Condition::HasAttachment], "{text}");
    }
    assert_eq!(
        wanted("là:chưa đọc is:starred trong:\"hộp thư đến\" in:\"Dự án/2026\" là:đã đọc"),
        [
            Condition::IsRead(false),
            Condition::IsStarred,
            Condition::InRole(Role::Inbox),
            Condition::InMailbox("Dự án/2026".to_owned()),
            Condition::IsRead(true),
        ]
    );
}

#[test]
fn dates_are_days_by_the_vietnamese_clock() {
    let day = at("2026-11-23T17:00:00Z");
    for text in ["trước:2026-11-24", "before:24/11/2026", "truoc:24.11.2026", "before: 24-11-2026"] {
        assert_eq!(wanted(text), [Condition::Before(day)], "{text}");
    }
    assert_eq!(wanted("sau:24/11/2026"), [Condition::Since(day)]);
    assert_eq!(wanted("after:11/2026"), [Condition::Since(at("2026-10-31T17:00:00Z"))]);
    assert_eq!(wanted("after:2026"), [Condition::Since(at("2025-12-31T17:00:00Z"))]);
    assert_eq!(wanted("sau:29/2/2028"), [Condition::Since(at("2028-02-28T17:00:00Z"))]);
    // No such day, no date: words.
    for text in ["sau:30/2/2026", "sau:2026-13-01", "trước:mai", "sau:1/2/3/4"] {
        assert_eq!(wanted(text), [anywhere(text)], "{text}");
    }
}

#[test]
fn what_is_no_operator_is_a_word() {
    assert_eq!(wanted("khánh hòa"), [anywhere("khánh"), anywhere("hòa")]);
    assert_eq!(wanted("\"khánh hòa\" 12/BC-BQL"), [anywhere("khánh hòa"), anywhere("12/BC-BQL")]);
    assert_eq!(
        wanted("có:chó là:gì từ: x:y"),
        [anywhere("có chó"), anywhere("là gì"), words(Fields::FROM, "x:y")]
    );
    assert_eq!(wanted("từ:"), [anywhere("từ")]);
    assert_eq!(wanted("tung:hoành"), [anywhere("tung hoành")]);
    assert_eq!(wanted("từ hùng"), [anywhere("từ"), anywhere("hùng")]);
    assert_eq!(wanted("chủ đề mới"), [anywhere("chủ"), anywhere("đề"), anywhere("mới")]);
    assert_eq!(wanted("has:attachmentx"), [anywhere("has attachmentx")]);
    assert_eq!(wanted(" - -- \"\" … : "), []);
}

#[test]
fn a_hyphen_before_something_leaves_it_out() {
    let terms = parse("kế hoạch -nháp -\"bản cũ\" -từ:mai kế-hoạch - x");
    let negated: Vec<_> = terms.iter().filter(|t| t.is_negated).map(|t| t.condition.clone()).collect();
    assert_eq!(negated, [anywhere("nháp"), anywhere("bản cũ"), words(Fields::FROM, "mai")]);
    assert_eq!(terms.len(), 7);
    assert_eq!(
        expression(&parse("a -b")),
        Expression::And(vec![
            Expression::text(Fields::ALL, "a"),
            Expression::Not(Box::new(Expression::text(Fields::ALL, "b")))
        ])
    );
    assert_eq!(expression(&parse("is:unread")), Expression::All);
}

proptest! {
    #[test]
    fn anything_can_be_typed(text in "\\PC{0,80}|([a-z:\"“ -]|từ:|chủ đề:|has:|in:|sau:|1/2/2026|đính kèm){0,30}") {
        let terms = parse(&text);
        prop_assert!(terms.len() <= MOST_PARTS);
        prop_assert!(expression(&terms).is_within_limits());
    }

    #[test]
    fn words_alone_are_themselves(words in prop::collection::vec("[a-zđăâêôơưáà0-9]{1,8}", 0..20)) {
        let expected: Vec<_> = words.iter().map(|w| anywhere(w)).collect();
        prop_assert_eq!(wanted(&words.join(" ")), expected);
    }
}
