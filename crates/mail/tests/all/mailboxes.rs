//! Single rules of the store.

use congvu_directory::{act_for, right};
use congvu_mail::{
    DeliverOptions, FlagChange, FlagOperation, MAX_KEYWORDS, Role, Target, append, copy_messages,
    create_mailbox, delete_mailbox, deliver, ensure_review_mailboxes, keywords, mailbox, mailbox_by_role,
    mailboxes, message, prepare, rename_mailbox, store_flags, usage,
};
use congvu_storage::Actor;
use congvu_types::{Flags, RefusalKind, Uid};
use testkit::agency::{AGENCY, DIRECTOR, each_agency};

fn letter(subject: &str, more: &str) -> Vec<u8> {
    format!("From: a@gov.example\r\nMessage-ID: <{subject}@x>\r\nSubject: {subject}\r\n{more}\r\ntext\r\n")
        .into_bytes()
}

#[tokio::test]
async fn a_delivery_with_the_same_key_is_the_first_one() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let prepared = prepare(&letter("mot", "")).unwrap();
        let mut stored = Vec::new();
        for _ in 0..2 {
            let (prepared, options) =
                (prepared.clone(), DeliverOptions { delivery_key: Some("k".into()), ..Default::default() });
            let delivered = agency.db.write(Actor::System("test"), move |tx| {
                deliver(tx, account, Target::Role(Role::Inbox), &prepared, &options)
            });
            stored.push(delivered.await.unwrap());
        }
        assert_eq!(stored[0], stored[1]);
        assert_eq!(agency.db.read(move |s| usage(s, account)).await.unwrap().messages, 1);
    })
    .await;
}

/// PostgreSQL refuses NUL in text, so a message with one must not stop what stores it.
#[tokio::test]
async fn a_header_full_of_control_characters_is_stored() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let raw = b"From: \"M\0ai\" <m\0@gov.example>\r\nMessage-ID: <a\0b@x>\r\nReferences: <c\0@x> <d@x>\r\n\
                    Date: \0\r\nSubject: k\0in\x07h\r\nContent-Type: text/plain; name=\"a\0b\"\r\n\r\ntex\0t\r\n";
        let prepared = prepare(raw).unwrap();
        assert_eq!((prepared.summary.subject.as_str(), prepared.summary.preview.as_str()), ("kinh", "text"));
        let stored = agency.db.write(Actor::System("test"), move |tx| {
            deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())
        });
        stored.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_first_deliveries_to_an_account_may_come_at_once() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let prepared = prepare(&letter("mot", "")).unwrap();
        let deliveries: Vec<_> = (0..12)
            .map(|_| {
                let (db, prepared) = (agency.db.clone(), prepared.clone());
                tokio::spawn(async move {
                    let deliver = move |tx: &mut congvu_storage::Tx| {
                        deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())
                    };
                    db.write(Actor::System("test"), deliver).await
                })
            })
            .collect();
        let mut uids = std::collections::BTreeSet::new();
        for delivery in deliveries {
            uids.insert(delivery.await.unwrap().unwrap().uid);
        }
        assert_eq!(uids.len(), 12);
    })
    .await;
}

/// S8.1 (Điều 8): a full account refuses, and nothing of what it refused stays.
#[tokio::test]
async fn a_full_account_refuses_and_keeps_what_it_has() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let large = prepare(&[b"Subject: x\r\n\r\n", &[b'a'; 700_000][..]].concat()).unwrap();
        agency.db.stage_blob(&large.blob).await.unwrap();
        let store = |prepared: congvu_mail::PreparedMessage| {
            let db = agency.db.clone();
            async move {
                db.write(Actor::System("test"), move |tx| {
                    deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())
                })
                .await
            }
        };
        store(large.clone()).await.unwrap();
        let refused = store(large).await.unwrap_err();
        assert_eq!(refused.refusal().map(|r| r.kind), Some(RefusalKind::OverQuota));
        let held = agency.db.read(move |s| usage(s, account)).await.unwrap();
        assert_eq!((held.messages, held.bytes), (1, 700_014));
        store(prepare(&letter("nho", "")).unwrap()).await.unwrap();
    })
    .await;
}

/// S9.1 (Điều 9): what is under review is not written by hand.
#[tokio::test]
async fn mailboxes_of_the_review_are_not_written_by_hand() {
    each_agency(|agency| async move {
        let (account, who) = (agency.account(AGENCY).await, agency.person("mai").await);
        let prepared = prepare(&letter("mot", "")).unwrap();
        let refused = agency.db.write(Actor::System("test"), move |tx| {
            ensure_review_mailboxes(tx, account)?;
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            for role in Role::REVIEW {
                let mailbox = mailbox_by_role(tx, account, role)?.unwrap();
                let added = append(tx, &acting, mailbox.id, &prepared, &DeliverOptions::default());
                assert_eq!(added.unwrap_err().refusal().map(|r| r.kind), Some(RefusalKind::NoRight));
                let renamed = rename_mailbox(tx, &acting, mailbox.id, "Khac");
                assert_eq!(renamed.unwrap_err().refusal().map(|r| r.kind), Some(RefusalKind::InUse));
            }
            Ok(())
        });
        refused.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn conversations_are_found_by_references() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let all = [
            letter("mot", ""),
            letter("hai", "In-Reply-To: <mot@x>\r\n"),
            letter("ba", "References: <mot@x> <hai@x>\r\n"),
            letter("khac", ""),
        ];
        for raw in all {
            let prepared = prepare(&raw).unwrap();
            let stored = agency.db.write(Actor::System("test"), move |tx| {
                deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())
            });
            stored.await.unwrap();
        }
        let threads = agency.db.read(move |s| {
            let inbox = mailbox_by_role(s, account, Role::Inbox)?.unwrap();
            (1..=4)
                .map(|uid| Ok(message(s, account, inbox.id, Uid(uid))?.unwrap().thread))
                .collect::<Result<Vec<_>, _>>()
        });
        let threads = threads.await.unwrap();
        assert!(
            threads[0] == threads[1] && threads[1] == threads[2] && threads[2] != threads[3],
            "{threads:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn keywords_have_a_limit_and_names_their_rules() {
    each_agency(|agency| async move {
        let (account, who) = (agency.account(DIRECTOR).await, agency.person("hung").await);
        let prepared = prepare(&letter("mot", "")).unwrap();
        let checked = agency.db.write(Actor::System("test"), move |tx| {
            let stored =
                deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())?;
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            let change = |n: usize| FlagChange {
                operation: FlagOperation::Add,
                flags: Flags::NONE,
                keywords: vec![format!("k{n}").parse().unwrap()],
                unchanged_since: None,
            };
            for n in 0..MAX_KEYWORDS {
                store_flags(tx, &acting, stored.mailbox, &[stored.uid], &change(n))?;
            }
            assert_eq!(keywords(tx, account)?.len(), MAX_KEYWORDS);
            let name = |text: &str| text.to_owned();
            for bad in [name(""), name("/a"), name("a//b"), name("a/"), name("a\u{7}b"), "x".repeat(2000)] {
                assert!(create_mailbox(tx, &acting, &bad).is_err(), "{bad:?}");
            }
            create_mailbox(tx, &acting, "Dự án/2026/Tháng 11")?;
            let names: Vec<String> = mailboxes(tx, account)?.into_iter().map(|m| m.name).collect();
            assert!(names.contains(&name("Dự án")) && names.contains(&name("Dự án/2026")), "{names:?}");
            let once_more = store_flags(tx, &acting, stored.mailbox, &[stored.uid], &change(99));
            assert_eq!(once_more.unwrap_err().refusal().map(|r| r.kind), Some(RefusalKind::TooMany));
            Ok(())
        });
        checked.await.unwrap();
    })
    .await;
}

/// S8.1 (Điều 8): what a deleted mailbox held is given back as it goes, to the byte.
#[tokio::test]
async fn a_deleted_mailbox_is_gone_at_once_and_its_messages_go_in_steps() {
    each_agency(|agency| async move {
        let (account, who) = (agency.account(DIRECTOR).await, agency.person("hung").await);
        let prepared = prepare(&letter("mot", "")).unwrap();
        let (deleter, test) = (who.clone(), Actor::System("test"));
        let deleted = agency.db.write(test.clone(), move |tx| {
            let acting = act_for::<right::Draft>(tx, &deleter, account)?;
            deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())?;
            let id = create_mailbox(tx, &acting, "Cũ")?;
            for _ in 0..400 {
                deliver(tx, account, Target::Mailbox(id), &prepared, &DeliverOptions::default())?;
            }
            delete_mailbox(tx, &acting, id)?;
            Ok(id)
        });
        let deleted = deleted.await.unwrap();
        let again = agency.db.write(test.clone(), move |tx| {
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            assert!(
                mailbox(tx, account, deleted).is_err() && message(tx, account, deleted, Uid(1))?.is_none()
            );
            let reading = act_for::<right::Read>(tx, &who, account)?;
            let copied = copy_messages(tx, (&reading, deleted), (&acting, deleted), &[Uid(1)]);
            assert_eq!(copied.unwrap_err().refusal().map(|r| r.kind), Some(RefusalKind::NotFound));
            create_mailbox(tx, &acting, "Cũ")
        });
        assert_ne!(again.await.unwrap(), deleted);
        let mut steps = 0;
        let mut before = agency.db.read(move |s| usage(s, account)).await.unwrap();
        assert_eq!(before.messages, 401);
        while agency.db.write_bulk(test.clone(), congvu_mail::purge_step).await.unwrap() {
            let now = agency.db.read(move |s| usage(s, account)).await.unwrap();
            assert!(now.messages <= before.messages && before.messages - now.messages <= 150, "{now:?}");
            (before, steps) = (now, steps + 1);
        }
        assert!(steps >= 3 && !agency.db.read(congvu_mail::is_purge_due).await.unwrap());
        assert_eq!((before.messages, before.bytes), (1, letter("mot", "").len() as u64));
        let left = agency.db.read(|s| s.query_one("SELECT COUNT(*) FROM placement", &[], |r| r.i64(0)));
        assert_eq!(left.await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn keywords_keep_their_first_spelling_and_are_not_made_by_taking_them_away() {
    each_agency(|agency| async move {
        let (account, who) = (agency.account(DIRECTOR).await, agency.person("hung").await);
        let prepared = prepare(&letter("mot", "")).unwrap();
        let checked = agency.db.write(Actor::System("test"), move |tx| {
            let stored =
                deliver(tx, account, Target::Role(Role::Inbox), &prepared, &DeliverOptions::default())?;
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            let mut store = |operation, name: &str| {
                let given = vec![name.parse().unwrap()];
                let change =
                    FlagChange { operation, flags: Flags::NONE, keywords: given, unchanged_since: None };
                let outcome = store_flags(tx, &acting, stored.mailbox, &[stored.uid], &change)?;
                Ok::<_, congvu_types::Error>((outcome.changed, keywords(tx, account)?))
            };
            let none: [&str; 0] = [];
            assert_eq!(store(FlagOperation::Remove, "Viec")?.1, none);
            assert_eq!(store(FlagOperation::Add, "NonJunk")?.1, ["NonJunk"]);
            assert_eq!(store(FlagOperation::Add, "nonjunk")?, (0, vec!["NonJunk".to_owned()]));
            assert_eq!(store(FlagOperation::Add, "$FORWARDED")?.1, ["NonJunk", "$Forwarded"]);
            assert_eq!(store(FlagOperation::Remove, "NONJUNK")?.0, 1);
            Ok(())
        });
        checked.await.unwrap();
    })
    .await;
}
