//! IDLE (RFC 9051 §6.3.13): the client hears of changes as they are committed; an idle session holds next to nothing.

use super::{
    input::PATIENCE,
    reply::{Answer, Failed},
    session::Session,
};
use congvu_storage::News;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// `DONE`, and what clients write by mistake.
const LONGEST_LINE: usize = 1024;

/// What woke an idle session.
enum Woke {
    Input,
    Changed(News),
    Stopping,
    TimeUp,
}

impl Session {
    pub(super) async fn idle(&mut self) -> Answer {
        self.signed_in()?;
        let account = self.selected.as_ref().map(|s| s.mailbox.account);
        let mut watch = account.map(|account| self.server.options.db.feed().watch(account));
        self.connection.write(b"+ Waiting\r\n");
        let until = Instant::now() + PATIENCE;
        let mut looks = watch.as_mut().map_or(0, |watch| watch.borrow_and_update().looks);
        let mut renewed = Instant::now().into_std();
        Box::pin(self.renew()).await?;
        Box::pin(self.poll(true)).await?;
        loop {
            self.connection.flush().await?;
            match self.wait(watch.as_mut(), until).await {
                Woke::Changed(news) => {
                    Box::pin(self.renew_now_and_then(&mut renewed)).await?;
                    if std::mem::replace(&mut looks, news.looks) == news.looks {
                        Box::pin(self.tell_news(news.modseq)).await?;
                    } else {
                        Box::pin(self.poll(true)).await?;
                    }
                }
                Woke::Input => {
                    let line = self.connection.read_line(LONGEST_LINE, PATIENCE).await?;
                    return match line.eq_ignore_ascii_case(b"DONE") {
                        true => Ok("Done.".to_owned()),
                        false => Err(Failed::bad("Expected DONE.")),
                    };
                }
                Woke::Stopping => {
                    self.tell("BYE The server is stopping. Connect again in a moment.");
                    return Err(Failed::Gone);
                }
                Woke::TimeUp => {
                    self.tell("BYE Nothing came for too long.");
                    return Err(Failed::Gone);
                }
            }
        }
    }

    async fn wait(&mut self, watch: Option<&mut watch::Receiver<News>>, until: Instant) -> Woke {
        let changed = async {
            let Some(watch) = watch else { return std::future::pending().await };
            if watch.changed().await.is_err() {
                // Whoever feeds the watch lives as long as the server.
                std::future::pending::<()>().await;
            }
            *watch.borrow_and_update()
        };
        tokio::select! {
            _ = self.connection.wait_input() => Woke::Input,
            news = changed => Woke::Changed(news),
            () = self.stop.cancelled() => Woke::Stopping,
            () = sleep_until(until) => Woke::TimeUp,
        }
    }
}
