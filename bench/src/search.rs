//! Search: one account with very many letters, asked as the doors ask (`mail::search`), without a network between.

use crate::Outcome;
use congvu_directory::{Acting, act_for, right};
use congvu_mail::{
    DeliverOptions, Role, Target, deliver, prepare,
    search::{Indexer, Scope, Search, Step, expression, parse, search},
};
use congvu_storage::{Actor, DatabaseUrl, Db, Node, OpenOptions};
use congvu_types::{AccountId, SystemClock, Timestamp};
use std::{
    fmt::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use testkit::{
    agency::{AGENCY, Agency, MIGRATIONS},
    store::TestStore,
};

const PASSWORD_OF: &str = "an";
/// Letters delivered in one transaction, and transactions at once.
const AT_ONCE: usize = 20;
const WRITERS: usize = 8;
/// Times each kind of search is asked for.
const ROUNDS: usize = 200;
/// 2026-11-24 by the Vietnamese clock; a letter came every five minutes before.
const NOW: i64 = 1_795_478_400;
const EVERY_SECONDS: i64 = 300;

/// Fills an account and prints how fast it is indexed and searched.
pub(crate) fn measure(messages: usize, directory: &Path, database: Option<&str>) -> Outcome<()> {
    std::fs::create_dir_all(directory)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let agency = agency(directory, database).await?;
        let account = agency.account(AGENCY).await;
        fill(&agency.db, account, messages).await?;
        let who = agency.person(PASSWORD_OF).await;
        let reading = agency.db.read(move |s| act_for::<right::Read>(s, &who, account)).await?;
        for kind in KINDS {
            ask(&agency.db, &reading, kind).await?;
        }
        Ok(())
    })
}

async fn agency(directory: &Path, database: Option<&str>) -> Outcome<Agency> {
    let url = match database {
        Some(url) => DatabaseUrl::parse(url)?,
        None => DatabaseUrl::Sqlite(directory.join("main.db")),
    };
    let options = OpenOptions {
        database: url.clone(),
        blobs: directory.join("blobs"),
        node: Node::Server(1),
        clock: Arc::new(SystemClock),
    };
    let db = Db::open(options)?;
    db.migrate(&MIGRATIONS).await?;
    let engine = if database.is_some() { "postgres" } else { "sqlite" };
    let files = Arc::new(tempfile::tempdir()?);
    Ok(Agency::new(TestStore { db, engine, dir: directory.to_owned(), url, files }).await)
}

/// Delivers a tenth without an index, the rest while it is made.
async fn fill(db: &Db, account: AccountId, messages: usize) -> Outcome<()> {
    let alone = messages / 10;
    let began = Instant::now();
    deliver_some(db, account, 0..alone).await?;
    let rate = |count: usize, began: Instant| count as f64 / began.elapsed().as_secs_f64();
    println!("search: delivered {:.0} a second with no index", rate(alone, began));
    let worker = tokio::spawn(keep_index(db.clone()));
    let began = Instant::now();
    deliver_some(db, account, alone..messages).await?;
    println!("search: delivered {:.0} a second while indexing", rate(messages - alone, began));
    while db.search_index().watermark(account).await?
        < db.read(move |s| congvu_mail::state(s, account)).await?
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("search: indexed {:.0} a second, {messages} messages", rate(messages, began));
    worker.abort();
    Ok(())
}

async fn keep_index(db: Db) {
    let news = db.feed().watch_all();
    let mut indexer = Indexer::new(db);
    loop {
        indexer.hear(news.take());
        match indexer.step().await {
            Ok(Step::More) => {}
            Ok(_) => indexer.hear(news.next().await),
            Err(error) => println!("search: {error}"),
        }
    }
}

async fn deliver_some(db: &Db, account: AccountId, range: std::ops::Range<usize>) -> Outcome<()> {
    let mut writers = tokio::task::JoinSet::new();
    let mut next = range.start;
    while next < range.end {
        let some = next..range.end.min(next + AT_ONCE);
        next = some.end;
        let db = db.clone();
        while writers.len() >= WRITERS {
            if let Some(done) = writers.join_next().await {
                done??;
            }
        }
        writers.spawn(async move {
            let letters: Vec<_> =
                some.map(|n| Ok((n, prepare(letter(n).as_bytes())?))).collect::<congvu_types::Result<_>>()?;
            db.write(Actor::System("bench"), move |tx| {
                for (n, prepared) in &letters {
                    let at = NOW - i64::try_from(*n).unwrap_or(0) * EVERY_SECONDS;
                    let options = DeliverOptions {
                        received_at: Some(Timestamp::from_seconds(at.max(1))),
                        ..DeliverOptions::default()
                    };
                    deliver(tx, account, Target::Role(Role::Inbox), prepared, &options)?;
                }
                Ok(())
            })
            .await
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    Ok(())
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    /// A syllable as often as syllables are: few of them very often, most of them seldom.
    fn syllable(&mut self) -> String {
        match self.roll(10) {
            0..5 => COMMON[self.roll(self.0 as usize % COMMON.len() + 1)].to_owned(),
            5..9 => {
                let rank = self.roll(60);
                spelled(rank * (self.roll(6) + 1))
            }
            _ => spelled(self.roll(ONSETS.len() * RHYMES.len())),
        }
    }
}

const COMMON: [&str; 40] = [
    "của", "và", "các", "công", "cho", "được", "trong", "số", "văn", "báo", "cáo", "kế", "hoạch", "dự", "án",
    "thực", "hiện", "quản", "lý", "ban", "phòng", "kính", "gửi", "tỉnh", "Khánh", "Hòa", "giao", "thông",
    "xây", "dựng", "năm", "ngày", "tháng", "đề", "nghị", "hồ", "sơ", "thẩm", "định", "quyết",
];
const ONSETS: [&str; 24] = [
    "b", "c", "ch", "d", "đ", "g", "gi", "h", "k", "kh", "l", "m", "n", "ng", "nh", "ph", "r", "s", "t",
    "th", "tr", "v", "x", "qu",
];
const RHYMES: [&str; 60] = [
    "a", "à", "á", "ả", "ạ", "ai", "ài", "ái", "an", "àn", "án", "ạn", "ang", "àng", "ao", "ào", "áo", "ay",
    "ày", "ây", "ấy", "ân", "ận", "ăn", "ăng", "ắng", "e", "en", "ê", "ế", "ệ", "ên", "ết", "i", "in", "inh",
    "ình", "ít", "o", "ọ", "on", "ong", "òng", "ô", "ố", "ộ", "ôn", "ông", "ồng", "ơ", "ớ", "ơn", "u", "ụ",
    "ung", "ùng", "ư", "ứ", "ương", "ường",
];

fn spelled(rank: usize) -> String {
    format!("{}{}", ONSETS[rank % ONSETS.len()], RHYMES[rank / ONSETS.len() % RHYMES.len()])
}

/// One of a thousand authors.
fn author(n: usize) -> String {
    let of = |shift: usize| spelled(n * 7 + shift * 131);
    format!("{} {} {}", of(1), of(2), of(3))
}

fn letter(n: usize) -> String {
    let mut dice = Dice(n as u64 + 1);
    let from = dice.roll(1000);
    let mut text = format!(
        "From: {} <nguoi{from}@gov{}.example>\r\nTo: Ban QLDA <bqlctgt@khanhhoa.example>\r\nSubject: {} {} {} số {n}/BC\r\n\
         Message-ID: <{n}@gov.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\nKính gửi: mã hồ sơ hs{}\r\n",
        author(from),
        from % 60,
        dice.syllable(),
        dice.syllable(),
        dice.syllable(),
        // Each stands in some ten letters.
        n / 10 * 7919 % 1_000_003,
    );
    for place in 0..110 {
        let _ = write!(text, "{}{}", dice.syllable(), if place % 14 == 13 { "\r\n" } else { " " });
    }
    text.push_str("\r\n");
    text
}

type Kind = (&'static str, fn(usize) -> String);

const KINDS: [Kind; 8] = [
    ("a common word", |n| bare(COMMON[n % COMMON.len()])),
    ("a rare word", |n| format!("hs{}", n * 13 * 7919 % 1_000_003)),
    ("three words", |n| {
        format!("{} {} {}", bare(COMMON[n % 40]), bare(COMMON[n * 7 % 40]), bare(&spelled(n % 300)))
    }),
    ("a phrase", |n| format!("\"{} {}\"", bare(COMMON[n % 40]), bare(COMMON[n * 7 % 40]))),
    ("a rare phrase", |n| format!("\"{} {}\"", bare(&spelled(n * 3 % 400)), bare(&spelled(n * 11 % 400)))),
    ("from:", |n| format!("from:\"{}\"", bare(&author(n % 1000)))),
    ("with accents", |n| format!("{} {}", COMMON[n % 40], COMMON[n * 7 % 40])),
    ("a word and not another", |n| format!("{} -{}", bare(COMMON[n % 40]), bare(COMMON[(n + 9) % 40]))),
];

fn bare(text: &str) -> String {
    congvu_types::fold(text)
}

async fn ask(db: &Db, reading: &Acting<right::Read>, (name, typed): Kind) -> Outcome<()> {
    let (mut times, mut hits) = (Vec::with_capacity(ROUNDS), 0);
    for n in 0..ROUNDS {
        let wanted = Search {
            expression: expression(&parse(&typed(n))),
            scope: Scope::default(),
            exact_first: true,
            limit: 50,
            is_checked_later: false,
        };
        let began = Instant::now();
        hits += search(db, reading, &wanted).await?.emails.len();
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let each = hits as f64 / ROUNDS as f64;
    println!(
        "search for {name}: p50 {:.2} ms, p95 {:.2} ms ({each:.0} of the first 50 found)",
        at(50),
        at(95)
    );
    Ok(())
}
