//! SEARCH in a mailbox that is indexed: the same answers as by reading, with what came since.

use crate::door::{arrive, open, signed_in};
use congvu_mail::search::{Indexer, Step};
use testkit::agency::{Agency, DIRECTOR, each_agency};

fn letter(from: &str, subject: &str, text: &str) -> String {
    format!("From: {from}\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n")
}

async fn index(agency: &Agency) {
    let mut indexer = Indexer::new(agency.db.clone());
    while indexer.step().await.unwrap() != Step::Done {}
}

/// Messages that would be read one by one are answered for by the index, and those behind its watermark are read.
#[tokio::test]
async fn an_indexed_mailbox_is_searched_without_reading_it() {
    each_agency(|agency| async move {
        arrive(
            &agency,
            DIRECTOR,
            &letter("Hùng <hung@vnn.gov.example>", "hồ sơ", "Khoa học, công nghệ (2026)"),
        )
        .await;
        arrive(&agency, DIRECTOR, &letter("Mai <mai@gov.example>", "khoa", "hồ sơ dự án")).await;
        for n in 0..110 {
            arrive(&agency, DIRECTOR, &letter("Lan <lan@xa.example>", &format!("số {n}"), "việc thường"))
                .await;
        }
        index(&agency).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client.play("C: a SELECT INBOX\nS~ a OK *").await;
        let questions = [
            // Words, wherever they stand; the last may be begun. Signs between words say nothing.
            ("CHARSET UTF-8 BODY \"khoa học\"", "1"),
            ("BODY \"cong nghe 20\"", "1"),
            ("TEXT khoa", "1 2"),
            ("TEXT kho", "1 2"),
            ("TEXT hoa", ""),
            ("BODY \"o so\"", ""),
            ("TEXT \"ho so\"", "1 2"),
            ("TEXT \"ho so\" NOT BODY du", "1"),
            ("OR BODY \"du an\" SUBJECT \"so 10\"", "2 13 103 104 105 106 107 108 109 110 111 112"),
            // Fields of the header are searched for parts of their text (RFC 9051 §6.4.4).
            ("FROM vnn", "1"),
            ("FROM nn.gov", "1"),
            ("FROM \"ung <hung@\"", "1"),
            ("SUBJECT \"o s\"", "1"),
            ("SUBJECT \"o so\"", "1"),
            ("BODY \"(2026)\"", "1"),
            ("BODY \"((\"", ""),
            ("UID 1:2 BODY an", "2"),
        ];
        for round in 0..2 {
            for (question, answer) in questions {
                let more = if round == 1 && question.starts_with("TEXT kho") { " 113" } else { "" };
                let found = format!("* SEARCH {answer}{more}").trim_end().to_owned();
                client.play(&format!("C: a SEARCH {question}\nS: {found}\nS: a OK *")).await;
            }
            if round == 0 {
                // Marked, and come: both behind the watermark.
                arrive(&agency, DIRECTOR, &letter("An <an@xa.example>", "mới", "Khoa nội")).await;
                client.play("C: a STORE 1 +FLAGS.SILENT (\\Flagged)\nS~ a OK *\nC: a NOOP\nS~ a OK *").await;
            }
        }
    })
    .await;
}
