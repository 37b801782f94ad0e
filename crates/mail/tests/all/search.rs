//! Search: what is found, in which order, from when on and until when.

use congvu_directory::{Acting, act_for, right};
use congvu_mail::{
    DeliverOptions, FlagChange, FlagOperation, Role, Target, create_mailbox, delete_mailbox, deliver,
    expunge, mailbox_by_role, mailboxes, move_messages, prepare, purge_step,
    search::{
        Expression, Found, Indexer, Phrase, Scope, Search, Step, expression, indexed, parse, search, uids_in,
    },
    store_flags,
};
use congvu_storage::{Actor, Db, Fields, Node, OpenOptions, Tx};
use congvu_types::{AccountId, EmailId, Flags, MailboxId, Result, SystemClock, Timestamp, Uid};
use std::sync::Arc;
use testkit::agency::{AGENCY, Agency, DIRECTOR, each_agency};

/// An account, one who may read it, and what a test does with it.
struct Desk<'a> {
    agency: &'a Agency,
    who: &'static str,
    account: AccountId,
}

impl<'a> Desk<'a> {
    async fn of(agency: &'a Agency, who: &'static str, address: &str) -> Self {
        Self { agency, who, account: agency.account(address).await }
    }

    async fn director(agency: &'a Agency) -> Self {
        Self::of(agency, "hung", DIRECTOR).await
    }

    async fn arrive_at(&self, second: i64, subject: &str, body: &str) -> EmailId {
        let raw = format!(
            "From: Trần Văn Hùng <hung@gov.example>\r\nTo: a@khanhhoa.example\r\nSubject: {subject}\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        );
        let (prepared, account) = (prepare(raw.as_bytes()).unwrap(), self.account);
        let options = DeliverOptions {
            received_at: Some(Timestamp::from_seconds(1_700_000_000 + second)),
            ..DeliverOptions::default()
        };
        self.write(move |tx| deliver(tx, account, Target::Role(Role::Inbox), &prepared, &options)).await.email
    }

    async fn write<R: Send + 'static>(&self, f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static) -> R {
        self.agency.db.write(Actor::System("test"), f).await.unwrap()
    }

    /// Does something as the person.
    async fn act<R: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut Tx, &Acting<right::Draft>, MailboxId) -> Result<R> + Send + 'static,
    ) -> R {
        let (who, account) = (self.agency.person(self.who).await, self.account);
        self.write(move |tx| {
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            let inbox = mailbox_by_role(tx, account, Role::Inbox)?.unwrap().id;
            f(tx, &acting, inbox)
        })
        .await
    }

    async fn reading(&self) -> Acting<right::Read> {
        let (who, account) = (self.agency.person(self.who).await, self.account);
        self.agency.db.read(move |s| act_for::<right::Read>(s, &who, account)).await.unwrap()
    }

    async fn search(&self, wanted: &Search) -> Found {
        search(&self.agency.db, &self.reading().await, wanted).await.unwrap()
    }

    async fn find(&self, text: &str) -> Vec<EmailId> {
        self.search(&words(text)).await.emails
    }

    async fn is_in_index(&self, text: &str) -> usize {
        let found = indexed(&self.agency.db, &self.reading().await, &words(text).expression).await.unwrap();
        found.unwrap().emails.len()
    }
}

fn words(text: &str) -> Search {
    let expression = expression(&parse(text));
    Search { expression, scope: Scope::default(), exact_first: true, limit: 50, is_checked_later: false }
}

async fn index_all(indexer: &mut Indexer) {
    indexer.look();
    while indexer.step().await.unwrap() != Step::Done {}
}

async fn indexer(agency: &Agency) -> Indexer {
    let mut indexer = Indexer::new(agency.db.clone());
    index_all(&mut indexer).await;
    indexer
}

#[tokio::test]
async fn accents_and_their_forms_make_no_difference_but_in_the_order() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        let composed = desk.arrive_at(1, "Khánh Hòa", "đường bộ").await;
        let plain = desk.arrive_at(2, "x", "ve tinh khanh hoa, duong bo").await;
        let decomposed = desk.arrive_at(3, "y", "TI\u{309}NH KHA\u{301}NH HOA\u{300}").await;
        let other = desk.arrive_at(4, "hoa khánh", "khánh thành hoá chất").await;
        for is_indexed in [false, true] {
            if is_indexed {
                indexer(&agency).await;
            }
            for text in ["\"khanh hoa\"", "from:hung \"khanh hoa\""] {
                assert_eq!(desk.find(text).await, [decomposed, plain, composed], "{text}");
            }
            // Just as it is written first, wherever the tone stands; then the others, the newest first.
            for text in ["\"Khánh Hòa\"", "\"KHÁNH HOÀ\"", "\"Kha\u{301}nh Ho\u{300}a\""] {
                assert_eq!(desk.find(text).await, [decomposed, composed, plain], "{text}");
            }
            assert_eq!(desk.find("khanh hoa").await, [other, decomposed, plain, composed]);
            assert_eq!(desk.find("đường").await, [composed, plain]);
            assert_eq!(desk.find("duong -subject:hoa").await, [plain]);
            let newest = Search { exact_first: false, ..words("đường") };
            assert_eq!(desk.search(&newest).await.emails, [plain, composed]);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_indexed_yet_is_found() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        let first = desk.arrive_at(1, "báo cáo", "tuần một").await;
        let mut indexer = indexer(&agency).await;
        let older = desk.arrive_at(0, "báo cáo", "tuần không").await;
        let newer = desk.arrive_at(2, "báo cáo", "tuần hai").await;
        let found = desk.search(&words("\"bao cao\"")).await;
        assert_eq!(found, Found { emails: vec![newer, first, older], has_more: false, is_whole: true });
        assert_eq!(desk.is_in_index("bao cao").await, 1);
        index_all(&mut indexer).await;
        assert_eq!(desk.is_in_index("bao cao").await, 3);
        assert_eq!(desk.find("\"bao cao\"").await, [newer, first, older]);
        // A change of flags is none of the index's.
        desk.act(|tx, acting, inbox| {
            let change = FlagChange {
                operation: FlagOperation::Add,
                flags: Flags::FLAGGED,
                keywords: Vec::new(),
                unchanged_since: None,
            };
            store_flags(tx, acting, inbox, &[Uid(1), Uid(2)], &change)
        })
        .await;
        assert_eq!(desk.find("\"bao cao\"").await, [newer, first, older]);
        index_all(&mut indexer).await;
        assert_eq!(desk.find("\"bao cao\"").await, [newer, first, older]);
    })
    .await;
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        for n in 1..=6 {
            desk.arrive_at(n, "báo cáo", "x").await;
        }
        let mut indexer = indexer(&agency).await;
        assert_eq!(desk.find("báo").await.len(), 6);
        let folder = desk
            .act(|tx, acting, inbox| {
                let deleted = FlagChange {
                    operation: FlagOperation::Add,
                    flags: Flags::DELETED,
                    keywords: Vec::new(),
                    unchanged_since: None,
                };
                store_flags(tx, acting, inbox, &[Uid(1)], &deleted)?;
                expunge(tx, acting, inbox, &[Uid(1)])?;
                let folder = create_mailbox(tx, acting, "Dự án")?;
                move_messages(tx, acting, inbox, folder, &[Uid(2), Uid(3)])?;
                Ok(folder)
            })
            .await;
        assert_eq!(desk.find("báo").await.len(), 5);
        index_all(&mut indexer).await;
        assert_eq!(desk.is_in_index("báo").await, 5);
        desk.act(move |tx, acting, _| delete_mailbox(tx, acting, folder)).await;
        assert_eq!(desk.find("báo").await.len(), 3);
        while desk.write(purge_step).await {}
        index_all(&mut indexer).await;
        assert_eq!(desk.is_in_index("báo").await, 3);
        assert_eq!(desk.find("báo").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn two_accounts_never_see_each_others_words() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        let shared = Desk::of(&agency, "an", AGENCY).await;
        let own = desk.arrive_at(1, "mật", "chỉ của giám đốc").await;
        let common = shared.arrive_at(1, "mật", "của cơ quan").await;
        for is_indexed in [false, true] {
            if is_indexed {
                indexer(&agency).await;
            }
            assert_eq!(desk.find("mật").await, [own]);
            assert_eq!(shared.find("mật").await, [common]);
            assert_eq!(shared.find("-giam").await, [common]);
        }
        assert_eq!(shared.is_in_index("mat").await, 1);
    })
    .await;
}

#[tokio::test]
async fn where_when_and_how_marked_narrow_a_search() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        let mut all = Vec::new();
        for n in 0..6 {
            all.push(desk.arrive_at(n * 100, "báo cáo", "x").await);
        }
        indexer(&agency).await;
        all.push(desk.arrive_at(600, "báo cáo", "x").await);
        let (inbox, archive) = desk
            .act(|tx, acting, inbox| {
                let archive = mailbox_by_role(tx, acting.account(), Role::Archive)?.unwrap().id;
                move_messages(tx, acting, inbox, archive, &[Uid(2), Uid(7)])?;
                let seen = FlagChange {
                    operation: FlagOperation::Add,
                    flags: Flags::SEEN,
                    keywords: Vec::new(),
                    unchanged_since: None,
                };
                store_flags(tx, acting, inbox, &[Uid(1), Uid(4)], &seen)?;
                assert!(mailboxes(tx, acting.account())?.len() > 2);
                Ok((inbox, archive))
            })
            .await;
        let seen = congvu_mail::FlagSet(u64::from(Flags::SEEN.bits()));
        let at = |second: i64| Some(Timestamp::from_seconds(1_700_000_000 + second));
        for (scope, expected) in [
            (Scope::default(), &[6, 5, 4, 3, 2, 1, 0][..]),
            (Scope { mailboxes: Some(vec![archive]), ..Scope::default() }, &[6, 1]),
            (Scope { mailboxes: Some(vec![]), ..Scope::default() }, &[]),
            (Scope { not_mailboxes: vec![archive], ..Scope::default() }, &[5, 4, 3, 2, 0]),
            (Scope { has: seen, ..Scope::default() }, &[3, 0]),
            (Scope { lacks: seen, mailboxes: Some(vec![inbox]), ..Scope::default() }, &[5, 4, 2]),
            (Scope { since: at(100), before: at(600), ..Scope::default() }, &[5, 4, 3, 2, 1]),
            (Scope { since: at(501), ..Scope::default() }, &[6]),
        ] {
            let found = desk.search(&Search { scope: scope.clone(), ..words("\"báo cáo\"") }).await;
            assert_eq!(found.emails, expected.iter().map(|n| all[*n]).collect::<Vec<_>>(), "{scope:?}");
            let some = Search { scope, limit: 1, expression: Expression::All, ..words("") };
            let some = desk.search(&some).await;
            assert_eq!((some.emails.len(), some.has_more), (expected.len().min(1), expected.len() > 1));
        }
        let phrase = Phrase::new(Fields::ALL, "bá", true).map(Expression::Phrase).unwrap();
        let reading = desk.reading().await;
        let begun = indexed(&agency.db, &reading, &phrase).await.unwrap().unwrap();
        let uids = agency.db.read(move |s| uids_in(s, &reading, archive, &begun.emails)).await.unwrap();
        assert_eq!(uids.into_iter().collect::<Vec<_>>(), [1]);
    })
    .await;
}

/// The agency after somebody deleted the index; on SQLite between two runs of the server.
async fn without_index(mut agency: Agency) -> Agency {
    if agency.store().engine == "postgres" {
        let erase = |tx: &mut Tx| {
            tx.execute("DELETE FROM search_document", &[])?;
            tx.execute("DELETE FROM search_account", &[])?;
            tx.execute("DELETE FROM search_lease", &[])
        };
        agency.db.write(Actor::System("test"), erase).await.unwrap();
        return agency;
    }
    for name in ["search.db", "search.db-wal", "search.db-shm"] {
        std::fs::remove_file(agency.store().dir.join(name)).unwrap();
    }
    let options = OpenOptions {
        database: agency.store().url.clone(),
        blobs: agency.store().dir.join("blobs"),
        node: Node::Server(2),
        clock: Arc::new(SystemClock),
    };
    agency.db = Db::open(options).unwrap();
    agency
}

/// An index that is gone is work to be done again and nothing else.
#[tokio::test]
async fn an_index_that_was_deleted_is_made_again() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        let mail = desk.arrive_at(1, "báo cáo", "x").await;
        indexer(&agency).await;
        let agency = without_index(agency).await;
        let desk = Desk::director(&agency).await;
        assert_eq!(desk.is_in_index("báo").await, 0);
        assert_eq!(desk.find("báo").await, [mail]);
        indexer(&agency).await;
        assert_eq!(desk.is_in_index("báo").await, 1);
        assert_eq!(desk.find("báo").await, [mail]);
    })
    .await;
}

/// A worker that ends anywhere is followed by one that goes on from the watermark.
#[tokio::test]
async fn what_was_not_finished_is_done_again() {
    each_agency(|agency| async move {
        let desk = Desk::director(&agency).await;
        for n in 0..40 {
            desk.arrive_at(n, "báo cáo", &format!("số {n}")).await;
        }
        for ended_after in [1, 3, 9, 27] {
            let mut first = Indexer::new(agency.db.clone());
            let cut = tokio::time::timeout(std::time::Duration::from_millis(ended_after), async {
                while first.step().await.unwrap() != Step::Done {}
            });
            let _ = cut.await;
            assert_eq!(desk.find("báo").await.len(), 40);
        }
        indexer(&agency).await;
        assert_eq!(desk.is_in_index("báo").await, 40);
        assert_eq!(desk.find("\"số 7\"").await.len(), 1);
        assert_eq!(desk.find("báo").await.len(), 40);
    })
    .await;
}
