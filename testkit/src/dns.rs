//! A name server in the test's own process: answers over UDP from a table.

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{A, MX, PTR, TXT},
    },
};
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    str::FromStr,
    sync::Arc,
};
use tokio::net::UdpSocket;

/// Starts a name server that lives as long as the runtime. Each line is `name TYPE value`: `gov.example MX 10 mx.gov.example`,
/// `mx.gov.example A 192.0.2.1`, `gov.example TXT v=spf1 …`, `1.2.0.192.in-addr.arpa PTR mx.gov.example`; for a name whose
/// servers are out of order, `moc.example SERVFAIL -`.
pub async fn serve(zone: &str) -> SocketAddr {
    let mut table: HashMap<Name, Vec<RData>> = HashMap::new();
    let mut failing = HashSet::new();
    for line in zone.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (name, rest) = line.split_once(' ').expect("a name");
        let (kind, value) = rest.split_once(' ').expect("a type");
        if kind == "SERVFAIL" {
            failing.insert(absolute(name));
            continue;
        }
        table.entry(absolute(name)).or_default().push(data(kind, value));
    }
    let (table, failing) = (Arc::new(table), Arc::new(failing));
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut packet = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
            let Ok(asked) = Message::from_vec(&packet[..length]) else { continue };
            let answer = answer(&table, &failing, &asked).to_vec().expect("an answer");
            if socket.send_to(&answer, peer).await.is_err() {
                return;
            }
        }
    });
    address
}

fn answer(table: &HashMap<Name, Vec<RData>>, failing: &HashSet<Name>, asked: &Message) -> Message {
    let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
    answer.metadata.recursion_available = true;
    for query in &asked.queries {
        answer.add_query(query.clone());
        let name = query.name().to_lowercase();
        match table.get(&name) {
            Some(known) => {
                let wanted = known.iter().filter(|d| d.record_type() == query.query_type());
                let records: Vec<Record> =
                    wanted.map(|d| Record::from_rdata(query.name().clone(), 60, d.clone())).collect();
                answer.add_answers(records);
            }
            None if failing.contains(&name) => answer.metadata.response_code = ResponseCode::ServFail,
            None => answer.metadata.response_code = ResponseCode::NXDomain,
        }
    }
    answer
}

fn absolute(name: &str) -> Name {
    let mut name = Name::from_str(name).expect("a name").to_lowercase();
    name.set_fqdn(true);
    name
}

fn data(kind: &str, value: &str) -> RData {
    match kind {
        "A" => RData::A(A(value.parse().expect("an address"))),
        "TXT" => RData::TXT(TXT::new(
            value.as_bytes().chunks(255).map(|c| String::from_utf8_lossy(c).into_owned()).collect(),
        )),
        "PTR" => RData::PTR(PTR(absolute(value))),
        "MX" => {
            let (preference, host) = value.split_once(' ').expect("a preference");
            let host = if host == "." { Name::root() } else { absolute(host) };
            RData::MX(MX::new(preference.parse().expect("a number"), host))
        }
        other => panic!("no such type here: {other}"),
    }
}
