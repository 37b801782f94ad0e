//! Fixtures.

use crate::world::{PEER, audited, is_open};
use congvu_directory::{
    Door, account,
    fixture::{self, Prepared},
    open_session, regulation_of, set_quota,
};
use congvu_storage::{Actor, Tx};
use congvu_types::{EmailAddress, RefusalKind};
use std::path::Path;
use testkit::agency::{Agency, DIRECTOR, PASSWORD, each_agency};

const REGULATED: &str = r#"
[[agency]]
code = "khac"
name = "Ban khác"
domain = "khac.example"
regulation = "regulations/bqlctgt.toml"

[[person]]
agency = "khac"
username = "nv"
name = "Nhân viên"
position = "vien-chuc"
initial_password = "mat khau duoc cap 1"

[[account]]
address = "nv@khac.example"
kind = "personal"
agency = "khac"
owner = "nv"
"#;

/// S3.2 (Điều 3): personal accounts for the positions that the regulation names; a second run changes nothing.
#[tokio::test]
async fn fixtures_obey_the_regulation_and_repeat_without_effect() {
    each_agency(|agency| async move {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let apply = |text: &str| {
            let parsed = fixture::parse(text, &root, |_| None, false).unwrap();
            let db = agency.db.clone();
            async move {
                let copy = parsed.clone();
                let prepared = db.read(move |s| fixture::prepare(s, &copy)).await.unwrap();
                db.write(Actor::System("test"), move |tx| fixture::apply(tx, &parsed, &prepared)).await
            }
        };
        let refused = apply(REGULATED).await.unwrap_err();
        let refusal = refused.refusal().unwrap();
        assert_eq!(
            (refusal.kind, refusal.citation.as_ref().unwrap().rule.as_str()),
            (RefusalKind::NotEntitled, "S3.2")
        );
        let entitled = REGULATED.replace("vien-chuc", "giam-doc");
        assert!(apply(&entitled).await.unwrap().created > 0);
        let again = apply(&entitled).await.unwrap();
        assert_eq!((again.created, again.updated), (0, 0));
        // Nobody is made for an agency that does not exist; a slip of the pen is told with its line.
        let unknown = entitled.replace("agency = \"khac\"", "agency = \"la\"");
        assert!(apply(&unknown).await.is_err());
        let slip = entitled.replace("kind = \"personal\"", "kind = \"personel\"");
        let line = slip.lines().position(|l| l.contains("personel")).unwrap() + 1;
        let problems = fixture::parse(&slip, &root, |_| None, false).unwrap_err();
        assert!(problems.iter().any(|p| p.line == line), "{problems:?}");
        let fixed = fixture::parse(&entitled.replace("initial_password", "password"), &root, |_| None, false);
        assert!(fixed.unwrap_err()[0].message.contains("password"));
    })
    .await;
}

async fn apply_again(agency: &Agency, text: &str) {
    let parsed = fixture::parse(text, Path::new("."), |_| None, true).unwrap();
    let copy = parsed.clone();
    let prepared = agency.db.read(move |s| fixture::prepare(s, &copy)).await.unwrap();
    let apply = move |tx: &mut Tx| fixture::apply(tx, &parsed, &prepared);
    agency.db.write(Actor::System("test"), apply).await.unwrap();
}

const AGAIN: &str = r#"
[[agency]]
code = "bqlctgt"
name = "Ban Quản lý dự án"
domain = "khanhhoa.example"

[[person]]
agency = "bqlctgt"
username = "hung"
name = "Trần Văn Hùng"
password = "mot mat khau dai 1"

[[account]]
address = "giamdoc@khanhhoa.example"
kind = "personal"
agency = "bqlctgt"
"#;

/// A file that is applied again takes nothing away that it does not speak of: not the review (S9.1, Điều 9), not a password
/// that the person chose since, not what a command set.
#[tokio::test]
async fn a_fixture_leaves_what_it_does_not_speak_of() {
    each_agency(|agency| async move {
        let hung = agency.person("hung").await;
        let auth = &agency.authenticator;
        auth.change_password(&hung, PASSWORD, "cau xom bong 2026", PEER).await.unwrap();
        let address = DIRECTOR.parse::<EmailAddress>().unwrap();
        let set = move |tx: &mut Tx| set_quota(tx, &address, Some(5));
        agency.db.write(Actor::System("test"), set).await.unwrap();
        let token = open_session_of(&agency, "cau xom bong 2026").await;
        apply_again(&agency, AGAIN).await;
        assert!(is_open(&agency, &token).await);
        let (id, own) = (hung.agency(), agency.account(DIRECTOR).await);
        let state = async || {
            let read = agency.db.read(move |s| {
                let row = account(s, own)?;
                Ok((regulation_of(s, id)?.outgoing_review.is_some(), row.quota_bytes, row.owner.is_some()))
            });
            read.await.unwrap()
        };
        assert_eq!(state().await, (true, Some(5), true));
        assert!(auth.sign_in("hung@bqlctgt", PASSWORD, Door::Web, PEER).await.is_err());
        // An empty key takes away.
        let bare = "[[agency]]\ncode = \"bqlctgt\"\nname = \"B\"\ndomain = \"khanhhoa.example\"\nregulation = \"\"\n\
            [[account]]\naddress = \"giamdoc@khanhhoa.example\"\nkind = \"position\"\nagency = \"bqlctgt\"\nquota = \"\"\nowner = \"\"";
        apply_again(&agency, bare).await;
        assert_eq!(state().await, (false, None, false));
        let applied = audited(&agency, "agency.applied").await;
        assert!(applied.last().is_some_and(|row| row.contains("\"after\":null")), "{applied:?}");
        assert_eq!(audited(&agency, "person.password_set").await.len(), 4);
    })
    .await;
}

async fn open_session_of(agency: &Agency, password: &str) -> String {
    let who = agency.authenticator.sign_in("hung@bqlctgt", password, Door::Web, PEER).await.unwrap();
    agency.db.write(Actor::System("test"), move |tx| open_session(tx, &who)).await.unwrap().0
}

/// Every slip is told with its line.
#[tokio::test]
async fn what_a_fixture_names_and_nobody_has_is_told_with_its_line() {
    each_agency(|agency| async move {
        for (text, line, said) in [
            ("[[unit]]\nagency = \"la\"\ncode = \"x\"\nname = \"X\"", 2, "agency: there is no agency \"la\""),
            (
                "[[agency]]\ncode = \"hai\"\nname = \"H\"\ndomain = \"khanhhoa.example\"",
                4,
                "domain: \"khanhhoa.example\" is the domain of agency \"bqlctgt\" already",
            ),
            (
                "[[account]]\naddress = \"p@khanhhoa.example\"\nkind = \"personal\"\nagency = \"bqlctgt\"",
                3,
                "kind: a personal account needs an owner",
            ),
            (
                "[[account]]\naddress = \"p@khanhhoa.example\"\nkind = \"position\"\nagency = \"bqlctgt\"\nowner = \"la\"",
                5,
                "owner: nobody is \"la\" in agency \"bqlctgt\"",
            ),
            (
                "[[grant]]\nperson = \"la\"\naccount = \"bqlctgt@khanhhoa.example\"\nrights = []",
                2,
                "person: nobody is \"la\" in agency \"bqlctgt\"",
            ),
            ("[[grant]]\nperson = \"an\"\naccount = \"x@y.example\"\nrights = []", 3, "account: there is no account x@y.example"),
        ] {
            let parsed = fixture::parse(text, Path::new("."), |_| None, true).unwrap();
            let found = agency.db.read(move |s| fixture::problems(s, &parsed)).await.unwrap();
            let found: Vec<_> = found.iter().map(|p| (p.line, p.message.as_str())).collect();
            assert_eq!(found, [(line, said)]);
        }
        let personal = "[[account]]\naddress = \"p@khanhhoa.example\"\nkind = \"personal\"\nagency = \"bqlctgt\"";
        let parsed = fixture::parse(personal, Path::new("."), |_| None, true).unwrap();
        let apply = move |tx: &mut Tx| fixture::apply(tx, &parsed, &Prepared::default());
        let refused = agency.db.write(Actor::System("test"), apply).await.unwrap_err();
        assert!(refused.is(RefusalKind::NotEntitled));
        assert!(refused.refusal().unwrap().params.contains(&("line", "2".to_owned())));
    })
    .await;
    for (key, value) in [("code", "BQL"), ("initial_password", ""), ("username", "An")] {
        let text = "[[agency]]\ncode = \"c\"\nname = \"C\"\ndomain = \"c.example\"\n[[person]]\nagency = \"c\"\n\
            username = \"an\"\nname = \"An\"\ninitial_password = \"mat khau 1\"";
        let lines = text.lines().map(|l| match l.split_once(" = ") {
            Some((k, _)) if k == key => format!("{k} = \"{value}\""),
            _ => l.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let line = text.lines().position(|l| l.starts_with(key)).unwrap() + 1;
        let problems = fixture::parse(&text, Path::new("."), |_| None, true).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [line], "{problems:?}");
    }
}
