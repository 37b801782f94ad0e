//! How much of a command is taken in, and what its bytes may be.

use crate::door::{open, signed_in};
use testkit::{
    agency::{PASSWORD, each_agency},
    transcript::Client,
};

/// RFC 7888 §4: literals that nobody asked for come until the connection ends.
#[tokio::test]
async fn a_stranger_is_heard_out_only_so_far() {
    each_agency(|agency| async move {
        let address = open(&agency).await;
        for flood in ["{0+}\r\n".repeat(2000), format!("{{4000+}}\r\n{}", "x".repeat(4000)).repeat(3)] {
            let mut stranger = Client::connect(address).await;
            stranger.play("S: * OK *").await;
            stranger.send_raw(format!("a LOGIN {flood}").as_bytes()).await;
            stranger.play("S: * BYE *").await;
            assert!(stranger.receive().await.is_empty(), "and the connection ends");
        }
        let mut stranger = Client::connect(address).await;
        stranger
            .play(&format!(
                "
            S: * OK *
            C: a LOGIN {{9000}}
            S: a NO [TOOBIG] *
            C: a LOGIN {{12}}
            S: + *
            C: hung@bqlctgt {{{}}}
            S: + *
            C: {PASSWORD}
            S: a OK *
        ",
                PASSWORD.len()
            ))
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_command_is_limited_as_a_whole() {
    each_agency(|agency| async move {
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        let piece = format!("{{60000+}}\r\n{} ", "x".repeat(60_000));
        client.send_raw(format!("a SEARCH SUBJECT {}\r\n", piece.repeat(30)).as_bytes()).await;
        client.play("S: a NO [TOOBIG] *").await;
        client.send_raw(format!("a SEARCH SUBJECT {}\r\n", "{1+}\r\nx ".repeat(200)).as_bytes()).await;
        client.play("S: a NO [LIMIT] *").await;
        // APPEND has one message; a second literal behind it is none.
        client.send_raw(b"a APPEND {6+}\r\nDrafts {10+}\r\nA: b\r\n\r\nxx {10+}\r\nA: b\r\n\r\nxx\r\n").await;
        client.play("S: a NO [LIMIT] *\nC: a NOOP\nS: a OK *").await;
    })
    .await;
}

/// RFC 9051 §4.3: what stands in a literal announces nothing.
#[tokio::test]
async fn a_message_may_end_like_an_announcement() {
    each_agency(|agency| async move {
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        let message = "Subject: x\r\n\r\nsee {9}";
        client.play(&format!("C: a APPEND Drafts {{{}}}\nS: + *", message.len())).await;
        client.send_raw(format!("{message}\r\n").as_bytes()).await;
        client
            .play(
                "
            S: a OK [APPENDUID * 1] *
            C: a SELECT Drafts
            S~ a OK *
            C: a FETCH 1 BODY.PEEK[TEXT]
            S: * 1 FETCH (BODY[TEXT] {7}
            S: see {9})
            S: a OK *
        ",
            )
            .await;
    })
    .await;
}

/// Memory is taken for what came; who has taken their part waits for themselves and for nobody else.
#[tokio::test]
async fn one_person_does_not_take_the_memory_of_all() {
    each_agency(|agency| async move {
        let address = open(&agency).await;
        let mut holding = Vec::new();
        for _ in 0..16 {
            let mut client = signed_in(address, "hung@bqlctgt").await;
            client
                .send_raw(format!("a APPEND Drafts {{150000+}}\r\n{}", "x".repeat(140_000)).as_bytes())
                .await;
            holding.push(client);
        }
        // A mailbox that is not there: each command is taken in whole, and the account does not fill.
        let whole = format!("a APPEND Nothing {{140000+}}\r\n{}\r\n", "x".repeat(140_000));
        let mut client = signed_in(address, "hung@bqlctgt").await;
        until(&mut client, &whole, |answer| answer.starts_with("a NO [UNAVAILABLE]")).await;
        let mut other = signed_in(address, "an@bqlctgt/bqlctgt@khanhhoa.example").await;
        other.send_raw(whole.as_bytes()).await;
        other.play("S: a NO [TRYCREATE] *").await;
        drop(holding);
        until(&mut client, &whole, |answer| answer.starts_with("a NO [TRYCREATE]")).await;
    })
    .await;
}

/// Repeats a command until its answer is as expected.
async fn until(client: &mut Client, command: &str, is_expected: impl Fn(&str) -> bool) {
    let mut answer = String::new();
    for _ in 0..5_000 {
        client.send_raw(command.as_bytes()).await;
        answer = client.receive().await;
        if is_expected(&answer) {
            return;
        }
    }
    panic!("{answer}");
}
