//! The worker of the outbound queue: does the waiting and the dialling; what follows is decided in `transport::queue`.

use crate::client::{self, Broken, Caller, Heard};
use congvu_net::{MxAnswer, Resolver, dial, mail_hosts, nearer_than_us};
use congvu_storage::{Actor, Db};
use congvu_transport::{
    Site,
    queue::{self, Attempt, AttemptOutcome, LEASE, Lease, Wire},
};
use congvu_types::Result;
use rustls::ClientConfig;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// RFC 5321 §4.5.4.1 leaves the time to connect to us.
const DIAL_PATIENCE: Duration = Duration::from_secs(30);
/// The queue is looked at this often even when nothing is told of.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// Leases taken at once.
const CLAIM: usize = 32;
/// All servers of a domain together have this long, …
const CONVERSATION: Duration = Duration::from_secs(1800);
/// … and a second more for so many bytes of the text: who takes it more slowly holds a place that others need.
const SLOWEST: usize = 8 * 1024;
/// RFC 5321 §5.1 asks for two addresses at least to be tried.
const MOST_ADDRESSES: usize = 8;
/// Conversations under way at a stop may end for so long.
const GRACE: Duration = Duration::from_secs(5);
/// After so many failures to note what was sent, the least is noted that keeps it from being sent twice.
const REPORT_TRIES: u32 = 6;

/// Which way mail for other domains goes.
#[derive(Debug, Clone)]
pub enum Route {
    /// To the domain's own servers, found by DNS.
    Mx {
        /// Who is asked.
        resolver: Box<Resolver>,
        /// The port, 25 but in tests.
        port: u16,
    },
    /// All to one host, `host:port`.
    Smarthost(String),
}

/// What the worker needs.
#[derive(Debug, Clone)]
pub struct OutboundOptions {
    /// The database.
    pub db: Db,
    /// Our name.
    pub site: Site,
    /// This node's number.
    pub node: u16,
    /// Which way.
    pub route: Route,
    /// TLS for STARTTLS; without it mail goes in clear.
    pub tls: Option<Arc<ClientConfig>>,
    /// Conversations at once with the servers of one domain.
    pub per_domain: usize,
    /// Conversations at once in all.
    pub at_once: usize,
}

/// The worker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: OutboundOptions,
    caller: Caller,
    slots: Arc<Semaphore>,
    domains: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Outbound {
    /// Makes a worker.
    #[must_use]
    pub fn new(options: OutboundOptions) -> Self {
        let caller = Caller { host: options.site.host().to_owned(), tls: options.tls.clone() };
        let slots = Arc::new(Semaphore::new(options.at_once));
        Self(Arc::new(Inner { options, caller, slots, domains: Mutex::default() }))
    }

    /// Sends what is due until `stop`. Conversations under way then have a moment to end: cut off after its text, a message
    /// would be sent twice. What is left is left to its lease.
    pub async fn run(self, stop: CancellationToken) {
        let cut = CancellationToken::new();
        let mut wake = self.0.options.db.feed().watch(queue::TOPIC);
        let tasks = TaskTracker::new();
        let node = self.0.options.node;
        let freed =
            self.0.options.db.write(Actor::System("queue"), move |tx| queue::release_node(tx, node)).await;
        if let Err(error) = freed {
            tracing::error!(%error, "freeing the leases of the last run");
        }
        while !stop.is_cancelled() {
            wake.mark_unchanged();
            let sleep = match self.claim(&tasks, &cut).await {
                Ok(sleep) => sleep,
                Err(error) => {
                    tracing::error!(%error, "looking at the outbound queue");
                    Duration::from_secs(5)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                _ = wake.changed() => {}
                () = stop.cancelled() => {}
            }
        }
        tasks.close();
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            tracing::info!(conversations = tasks.len(), "conversations were left to the next start");
        }
        cut.cancel();
    }

    /// Takes what is due, starts a task each, and says how long there is nothing to do.
    async fn claim(&self, tasks: &TaskTracker, cut: &CancellationToken) -> Result<Duration> {
        let (db, node) = (&self.0.options.db, self.0.options.node);
        loop {
            let free = self.0.slots.available_permits().min(CLAIM);
            if free == 0 {
                return Ok(Duration::from_millis(200));
            }
            let leases = db.write(Actor::System("queue"), move |tx| queue::claim_due(tx, node, free)).await?;
            let taken = leases.len();
            for lease in leases {
                let Ok(slot) = self.0.slots.clone().acquire_owned().await else { return Ok(LONGEST_SLEEP) };
                let worker = self.clone();
                let cut = cut.clone();
                tasks.spawn(async move {
                    tokio::select! {
                        worked = worker.work(&lease, slot) => if let Err(error) = worked {
                            tracing::error!(%error, group = %lease.group, "sending queued mail");
                        },
                        // Nothing is reported: the next start frees the lease and tries again.
                        () = cut.cancelled() => {}
                    }
                });
            }
            if taken < free {
                break;
            }
        }
        let due = db.read_quick(queue::next_due).await?;
        let now = db.clock().now();
        Ok(due.map_or(LONGEST_SLEEP, |at| at.since(now).clamp(Duration::from_millis(100), LONGEST_SLEEP)))
    }

    fn domain_slots(&self, domain: &str) -> Arc<Semaphore> {
        let mut domains = self.0.domains.lock().unwrap_or_else(PoisonError::into_inner);
        // Domains with no conversation under way need no entry.
        domains.retain(|_, slots| slots.available_permits() < self.0.options.per_domain);
        let per_domain = self.0.options.per_domain;
        domains.entry(domain.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(per_domain))).clone()
    }

    async fn work(&self, lease: &Lease, slot: OwnedSemaphorePermit) -> Result<()> {
        let db = &self.0.options.db;
        let slots = self.domain_slots(lease.domain.as_str());
        let Ok(turn) = slots.try_acquire() else {
            let (lease, until) = (lease.clone(), db.clock().now().after(Duration::from_secs(1)));
            return db.write(Actor::System("queue"), move |tx| queue::postpone(tx, &lease, until)).await;
        };
        let attempts = tokio::select! {
            attempts = self.attempt(lease) => attempts,
            // Another worker has it.
            () = self.keep(lease) => return Ok(()),
        };
        for attempt in &attempts {
            tracing::info!(group = %lease.group, domain = %lease.domain, remote = %attempt.remote,
                outcome = ?attempt.outcome, answer = %attempt.answer, "tried to send");
        }
        tokio::select! {
            () = self.report(lease, &attempts, (slot, turn)) => {}
            () = self.keep(lease) => {}
        }
        Ok(())
    }

    /// Notes what became of the attempts, however long the database takes: what was sent and is not noted is sent again.
    /// Places are given back before it waits: what cannot be noted keeps no other mail from being sent.
    async fn report(
        &self,
        lease: &Lease,
        attempts: &[Attempt],
        places: (OwnedSemaphorePermit, SemaphorePermit<'_>),
    ) {
        let mut places = Some(places);
        for tries in 0_u32.. {
            let (lease, site, attempts) = (lease.clone(), self.0.options.site.clone(), attempts.to_vec());
            let group = lease.group;
            // A report to the sender may be what fails; it follows with a later try.
            let noted = self.0.options.db.write(Actor::System("queue"), move |tx| match tries {
                0..REPORT_TRIES => queue::report(tx, &site, &lease, &attempts),
                _ => queue::strike(tx, &lease, &attempts),
            });
            match noted.await {
                Ok(_) => return,
                Err(error) => tracing::error!(%error, %group, "noting what became of queued mail"),
            }
            drop(places.take());
            tokio::time::sleep(Duration::from_millis(500 << tries.min(6))).await;
        }
    }

    /// Makes the lease last while the conversation does; ends when it is lost. A database that does not answer takes it from
    /// nobody.
    async fn keep(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let extended = lease.clone();
            let held =
                self.0.options.db.write(Actor::System("queue"), move |tx| queue::extend(tx, &extended)).await;
            match held {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, group = %lease.group, "extending a lease"),
            }
        }
    }

    async fn attempt(&self, lease: &Lease) -> Vec<Attempt> {
        if lease.recipients.is_empty() {
            return Vec::new();
        }
        let read = lease.clone();
        let wire = match self.0.options.db.read(move |s| queue::wire(s, &read)).await {
            Ok(wire) => wire,
            Err(error) => {
                tracing::error!(%error, group = %lease.group, "reading a queued message");
                return later(lease, "4.3.0", "", "the message could not be read here");
            }
        };
        match self.hosts(lease).await {
            Ok(hosts) => {
                let transactions = lease.recipients.len().div_ceil(100);
                let seconds = wire.bytes.len().saturating_mul(transactions) / SLOWEST;
                let limit = CONVERSATION + Duration::from_secs(seconds as u64);
                let mut heard = Heard::default();
                let trying = self.try_hosts(lease, &wire, &hosts, &mut heard);
                let rest = tokio::time::timeout(limit, trying).await.unwrap_or_else(|_| Rest {
                    // RFC 3463 §3.5: 4.4.2, bad connection.
                    outcome: AttemptOutcome::Later { status: "4.4.2".to_owned() },
                    remote: String::new(),
                    said: "the conversation took too long".to_owned(),
                });
                heard.fill(lease, &rest.outcome, &rest.remote, &rest.said)
            }
            Err(attempts) => attempts,
        }
    }

    /// The servers to try, in order, or what is to be reported.
    async fn hosts(
        &self,
        lease: &Lease,
    ) -> std::result::Result<Vec<(String, Vec<SocketAddr>)>, Vec<Attempt>> {
        match &self.0.options.route {
            Route::Smarthost(host) => match tokio::net::lookup_host(host.as_str()).await {
                Ok(found) => {
                    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
                    Ok(vec![(name.to_owned(), found.take(MOST_ADDRESSES).collect())])
                }
                Err(error) => Err(later(lease, "4.4.4", host, &error.to_string())),
            },
            Route::Mx { resolver, port } => match mail_hosts(resolver, &lease.domain).await {
                MxAnswer::Hosts(hosts) => {
                    let at_port = |addresses: Vec<std::net::IpAddr>| {
                        addresses
                            .into_iter()
                            .take(MOST_ADDRESSES)
                            .map(|ip| SocketAddr::new(ip, *port))
                            .collect()
                    };
                    let site = &self.0.options.site;
                    match nearer_than_us(hosts, |h| site.is_here(&h.name, &h.addresses)) {
                        Some(hosts) => {
                            Ok(hosts.into_iter().map(|h| (h.name, at_port(h.addresses))).collect())
                        }
                        // RFC 5321 §5.1, RFC 3463 §3.5: 5.4.6.
                        None => {
                            Err(failed(lease, "5.4.6", "the domain's mail would come back to this server"))
                        }
                    }
                }
                // RFC 7505 §4.2: 5.1.10.
                MxAnswer::NullMx => Err(failed(lease, "5.1.10", "the domain takes no mail (null MX)")),
                MxAnswer::NoDomain => Err(failed(lease, "5.1.2", "there is no such domain")),
                MxAnswer::Failed(error) => Err(later(lease, "4.4.3", "", &error)),
            },
        }
    }

    /// RFC 5321 §5.1: one host after the other until one decides. Returned is what holds for those of whom nothing was heard.
    async fn try_hosts(
        &self,
        lease: &Lease,
        wire: &Wire,
        hosts: &[(String, Vec<SocketAddr>)],
        heard: &mut Heard,
    ) -> Rest {
        let mut rest = Rest::later("", "no server could be reached");
        let mut unfit = None;
        let mut all_unfit = true;
        for (name, addresses) in hosts {
            match self.converse(lease, wire, (name, addresses), heard).await {
                Err(Broken::Unfit(status, said)) => unfit = Some((status, name, said)),
                Ok(()) => all_unfit = false,
                Err(Broken::InDoubt(reason)) => return Rest::later(name, &reason),
                Err(Broken::Tls(reason) | Broken::Connection(reason)) => {
                    all_unfit = false;
                    rest = Rest::later(name, &reason);
                }
            }
            if heard.is_settled() {
                break;
            }
        }
        match unfit.filter(|_| all_unfit) {
            // Every server was asked, and none can take it.
            Some((status, name, said)) => Rest {
                outcome: AttemptOutcome::Failed { status: status.to_owned() },
                remote: name.clone(),
                said: said.to_owned(),
            },
            None => rest,
        }
    }

    /// One conversation; without TLS once more when TLS is what failed.
    async fn converse(
        &self,
        lease: &Lease,
        wire: &Wire,
        (name, addresses): (&str, &[SocketAddr]),
        heard: &mut Heard,
    ) -> std::result::Result<(), Broken> {
        let mut caller = self.0.caller.clone();
        loop {
            let dialed = dial(addresses, DIAL_PATIENCE).await;
            let mut dialed = dialed.map_err(|e| Broken::Connection(e.to_string()))?;
            match client::send(&mut dialed.connection, &caller, name, (lease, wire), heard).await {
                Err(Broken::Tls(reason)) if caller.tls.is_some() => {
                    tracing::info!(server = name, reason, "TLS failed; trying without");
                    caller.tls = None;
                }
                sent => return sent,
            }
        }
    }
}

/// What holds for the recipients of whom no server said anything.
struct Rest {
    outcome: AttemptOutcome,
    remote: String,
    said: String,
}

impl Rest {
    /// RFC 3463 §3.5: 4.4.1, no answer from host.
    fn later(remote: &str, said: &str) -> Self {
        let outcome = AttemptOutcome::Later { status: "4.4.1".to_owned() };
        Self { outcome, remote: remote.to_owned(), said: said.to_owned() }
    }
}

fn every(lease: &Lease, outcome: &AttemptOutcome, remote: &str, answer: &str) -> Vec<Attempt> {
    let each = lease.recipients.iter().map(|recipient| Attempt {
        recipient: recipient.id,
        outcome: outcome.clone(),
        remote: remote.to_owned(),
        answer: answer.to_owned(),
    });
    each.collect()
}

fn later(lease: &Lease, status: &str, remote: &str, answer: &str) -> Vec<Attempt> {
    every(lease, &AttemptOutcome::Later { status: status.to_owned() }, remote, answer)
}

fn failed(lease: &Lease, status: &str, answer: &str) -> Vec<Attempt> {
    every(lease, &AttemptOutcome::Failed { status: status.to_owned() }, "", answer)
}
