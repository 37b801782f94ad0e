//! The worker of the outbound queue: does the waiting and the dialling; what follows is decided in `transport::queue`.

use crate::client::{self, Broken, Caller};
use congvu_net::{MxAnswer, Resolver, dial, mail_hosts};
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
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// RFC 5321 §4.5.4.1 leaves the time to connect to us.
const DIAL_PATIENCE: Duration = Duration::from_secs(30);
/// The queue is looked at this often even when nothing is told of.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// Leases taken at once.
const CLAIM: usize = 32;

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

    /// Sends what is due until `stop`; conversations under way are then left to their leases.
    pub async fn run(self, stop: CancellationToken) {
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
            let sleep = match self.claim(&tasks, &stop).await {
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
        if tokio::time::timeout(Duration::from_secs(5), tasks.wait()).await.is_err() {
            tracing::info!(conversations = tasks.len(), "conversations were left to the next start");
        }
    }

    /// Takes what is due, starts a task each, and says how long there is nothing to do.
    async fn claim(&self, tasks: &TaskTracker, stop: &CancellationToken) -> Result<Duration> {
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
                let stop = stop.clone();
                tasks.spawn(async move {
                    let _slot = slot;
                    if let Err(error) = worker.work(&lease, &stop).await {
                        tracing::error!(%error, group = %lease.group, "sending queued mail");
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

    async fn work(&self, lease: &Lease, stop: &CancellationToken) -> Result<()> {
        let db = &self.0.options.db;
        let slots = self.domain_slots(lease.domain.as_str());
        let Ok(_turn) = slots.try_acquire() else {
            let (lease, until) = (lease.clone(), db.clock().now().after(Duration::from_secs(1)));
            return db.write(Actor::System("queue"), move |tx| queue::postpone(tx, &lease, until)).await;
        };
        let attempts = tokio::select! {
            attempts = self.attempt(lease) => attempts,
            () = self.keep(lease) => Vec::new(),
            // Nothing is reported: the next start frees the lease and tries again.
            () = stop.cancelled() => return Ok(()),
        };
        for attempt in &attempts {
            tracing::info!(group = %lease.group, domain = %lease.domain, remote = %attempt.remote,
                outcome = ?attempt.outcome, answer = %attempt.answer, "tried to send");
        }
        let (lease, site) = (lease.clone(), self.0.options.site.clone());
        db.write(Actor::System("queue"), move |tx| queue::report(tx, &site, &lease, &attempts)).await?;
        Ok(())
    }

    /// Makes the lease last while the conversation does; ends when it is lost.
    async fn keep(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let lease = lease.clone();
            let held =
                self.0.options.db.write(Actor::System("queue"), move |tx| queue::extend(tx, &lease)).await;
            if !matches!(held, Ok(true)) {
                return;
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
            Ok(hosts) => self.try_hosts(lease, &wire, &hosts).await,
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
                    Ok(vec![(name.to_owned(), found.collect())])
                }
                Err(error) => Err(later(lease, "4.4.4", host, &error.to_string())),
            },
            Route::Mx { resolver, port } => match mail_hosts(resolver, &lease.domain).await {
                MxAnswer::Hosts(hosts) => {
                    let at_port = |addresses: Vec<std::net::IpAddr>| {
                        addresses.into_iter().map(|ip| SocketAddr::new(ip, *port)).collect()
                    };
                    Ok(hosts.into_iter().map(|h| (h.name, at_port(h.addresses))).collect())
                }
                // RFC 7505 §4.2: 5.1.10.
                MxAnswer::NullMx => Err(failed(lease, "5.1.10", "the domain takes no mail (null MX)")),
                MxAnswer::NoDomain => Err(failed(lease, "5.1.2", "there is no such domain")),
                MxAnswer::Failed(error) => Err(later(lease, "4.4.3", "", &error)),
            },
        }
    }

    /// RFC 5321 §5.1: one host after the other until one answers for good.
    async fn try_hosts(
        &self,
        lease: &Lease,
        wire: &Wire,
        hosts: &[(String, Vec<SocketAddr>)],
    ) -> Vec<Attempt> {
        let mut last = later(lease, "4.4.1", "", "no server could be reached");
        for (name, addresses) in hosts {
            match self.converse(lease, wire, name, addresses).await {
                Ok(attempts) => {
                    let settled = attempts.iter().any(|a| !matches!(a.outcome, AttemptOutcome::Later { .. }));
                    last = attempts;
                    if settled {
                        break;
                    }
                }
                Err(reason) => last = later(lease, "4.4.1", name, &reason),
            }
        }
        last
    }

    /// One conversation; without TLS once more when TLS is what failed.
    async fn converse(
        &self,
        lease: &Lease,
        wire: &Wire,
        name: &str,
        addresses: &[SocketAddr],
    ) -> std::result::Result<Vec<Attempt>, String> {
        let mut caller = self.0.caller.clone();
        loop {
            let mut dialed = dial(addresses, DIAL_PATIENCE).await.map_err(|e| e.to_string())?;
            match client::send(&mut dialed.connection, &caller, name, lease, wire).await {
                Ok(attempts) => return Ok(attempts),
                Err(Broken::Tls(reason)) if caller.tls.is_some() => {
                    tracing::info!(server = name, reason, "TLS failed; trying without");
                    caller.tls = None;
                }
                Err(Broken::Tls(reason) | Broken::Connection(reason)) => return Err(reason),
            }
        }
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
