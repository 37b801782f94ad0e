//! Shared accounts: what named people do to them is on record, and the review's mailboxes are the review's.

use congvu_directory::{Acting, act_for, right};
use congvu_mail::{
    DeliverOptions, FlagChange, FlagOperation, Role, Target, append, copy_messages, create_mailbox,
    delete_mailbox, deliver, ensure_review_mailboxes, expunge, mailbox_by_name, mailbox_by_role, mailboxes,
    move_messages, prepare, rename_mailbox, store_flags,
};
use congvu_storage::{Actor, AuditRow, audit_rows, params};
use congvu_types::{AccountId, Flags, RefusalKind, Uid};
use testkit::agency::{AGENCY, Agency, DIRECTOR, each_agency};

fn letter() -> Vec<u8> {
    b"From: a@gov.example\r\nSubject: x\r\n\r\ntext\r\n".to_vec()
}

async fn record(agency: &Agency, account: AccountId) -> Vec<AuditRow> {
    let chain = format!("account/{account}");
    agency.db.read(move |s| audit_rows(s, &chain, 0, 100)).await.unwrap()
}

/// Everything that a person may do to what an account keeps.
async fn busy(agency: &Agency, name: &str, account: AccountId) {
    let (who, prepared) = (agency.person(name).await, prepare(&letter()).unwrap());
    let done = agency.db.write(Actor::Person(who.person()), move |tx| {
        let acting: Acting<right::Draft> = act_for(tx, &who, account)?;
        let reading = act_for::<right::Read>(tx, &who, account)?;
        let options = DeliverOptions { flags: Flags::DELETED, ..DeliverOptions::default() };
        // What the system delivers is nobody's act.
        let inbox = deliver(tx, account, Target::Role(Role::Inbox), &prepared, &options)?.mailbox;
        append(tx, &acting, inbox, &prepared, &options)?;
        let folder = create_mailbox(tx, &acting, "Dự án")?;
        rename_mailbox(tx, &acting, folder, "Hồ sơ")?;
        copy_messages(tx, (&reading, inbox), (&acting, folder), &[Uid(1), Uid(2)])?;
        move_messages(tx, &acting, inbox, folder, &[Uid(2)])?;
        let change = FlagChange {
            operation: FlagOperation::Add,
            flags: Flags::DELETED,
            keywords: Vec::new(),
            unchanged_since: None,
        };
        store_flags(tx, &acting, folder, &[Uid(1), Uid(2), Uid(3)], &change)?;
        assert_eq!(expunge(tx, &acting, folder, &[Uid(1), Uid(2), Uid(3), Uid(9)])?.len(), 3);
        delete_mailbox(tx, &acting, folder)
    });
    done.await.unwrap();
}

/// S3.1b (Điều 3): who did what to the agency's account is on record under their name.
#[tokio::test]
async fn acts_on_a_shared_account_are_recorded() {
    each_agency(|agency| async move {
        let account = agency.account(AGENCY).await;
        busy(&agency, "an", account).await;
        let rows = record(&agency, account).await;
        let events: Vec<_> = rows.iter().map(|r| (r.event.as_str(), r.subject.as_str())).collect();
        assert_eq!(
            events,
            [
                ("mail.appended", "INBOX"),
                ("mailbox.created", "Dự án"),
                ("mailbox.renamed", "Dự án"),
                ("mail.copied", "INBOX"),
                ("mail.moved", "INBOX"),
                ("mail.expunged", "Hồ sơ"),
                ("mailbox.deleted", "Hồ sơ"),
            ]
        );
        assert!(rows.iter().all(|r| r.actor.starts_with("person/")));
        let details: serde_json::Value = serde_json::from_str(&rows[5].details).unwrap();
        assert_eq!((&details["uids"], &details["messages"]), (&"1:3".into(), &3.into()));
        assert_eq!(details["digests"][0], blake3::hash(&letter()).to_hex().as_str());
    })
    .await;
}

#[tokio::test]
async fn what_owners_do_to_their_own_account_is_theirs() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        busy(&agency, "hung", account).await;
        assert_eq!(record(&agency, account).await, []);
    })
    .await;
}

/// S3.1b (Điều 3): what leaves a shared account for somebody's own is told where it went.
#[tokio::test]
async fn a_copy_out_of_a_shared_account_is_recorded_there() {
    let grant =
        "\n[[grant]]\nperson = \"hung\"\naccount = \"bqlctgt@khanhhoa.example\"\nrights = [\"read\"]\n";
    each_agency(|agency| async move {
        agency.apply(grant).await;
        let (account, own) = (agency.account(AGENCY).await, agency.account(DIRECTOR).await);
        let (who, prepared) = (agency.person("hung").await, prepare(&letter()).unwrap());
        let copied = agency.db.write(Actor::Person(who.person()), move |tx| {
            let options = DeliverOptions::default();
            let from = deliver(tx, account, Target::Role(Role::Inbox), &prepared, &options)?.mailbox;
            congvu_mail::ensure_account(tx, own)?;
            let to = mailbox_by_role(tx, own, Role::Archive)?.unwrap().id;
            let (reading, writing) = (act_for(tx, &who, account)?, act_for(tx, &who, own)?);
            copy_messages(tx, (&reading, from), (&writing, to), &[Uid(1)])
        });
        copied.await.unwrap();
        let rows = record(&agency, account).await;
        assert_eq!(rows.iter().map(|r| r.event.as_str()).collect::<Vec<_>>(), ["mail.copied"]);
        assert!(rows[0].details.contains("giamdoc@khanhhoa.example/Archive"), "{}", rows[0].details);
        assert_eq!(record(&agency, own).await, []);
    })
    .await;
}

/// S9.1 (Điều 9): nothing that people file stands in the way of the review.
#[tokio::test]
async fn the_names_of_the_review_are_kept_for_it() {
    each_agency(|agency| async move {
        let (account, who) = (agency.account(AGENCY).await, agency.person("an").await);
        let done = agency.db.write(Actor::System("test"), move |tx| {
            congvu_mail::ensure_account(tx, account)?;
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            let folder = create_mailbox(tx, &acting, "x/y")?;
            // Composed, decomposed, in small letters, and with something below.
            for name in ["Chờ duyệt", "Đã duye\u{302}\u{323}t", "trả lại", "Từ chối/2026"] {
                let refused = create_mailbox(tx, &acting, name).unwrap_err();
                assert!(refused.is(RefusalKind::InvalidName), "{name}");
                assert!(rename_mailbox(tx, &acting, folder, name).unwrap_err().is(RefusalKind::InvalidName));
            }
            // One that is there all the same makes room.
            for (from, to) in [("x", "Chờ duyệt"), ("x/y", "Chờ duyệt/y")] {
                tx.execute(
                    "UPDATE mailbox SET name = ?3 WHERE account_id = ?1 AND name = ?2",
                    &params![account.get(), from, to],
                )?;
            }
            create_mailbox(tx, &acting, "Chờ duyệt (1)")?;
            ensure_review_mailboxes(tx, account)?;
            ensure_review_mailboxes(tx, account)?;
            for role in Role::REVIEW {
                let found = mailbox_by_name(tx, account, role.default_name())?.unwrap();
                assert_eq!(found.role, role);
            }
            assert_eq!(mailbox_by_name(tx, account, "Chờ duyệt (2)/y")?.unwrap().id, folder);
            assert_eq!(mailboxes(tx, account)?.len(), 6 + 4 + 3);
            Ok(())
        });
        done.await.unwrap();
        let twice = agency.db.write(Actor::System("test"), move |tx| {
            tx.execute(
                "UPDATE mailbox SET role = 'awaiting' WHERE account_id = ?1 AND name = 'Archive'",
                &params![account.get()],
            )
        });
        assert!(twice.await.is_err(), "a role is of one mailbox");
    })
    .await;
}
