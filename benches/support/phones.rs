//! Softphones that are registered and decline what rings. They note when it does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use offdesk_sip::digest::Ha1s;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// That a phone was asked to ring.
#[derive(Debug)]
pub(crate) struct Invite {
    /// The number of its agent.
    pub(crate) agent: usize,
    pub(crate) at: Instant,
}

/// Phones behind one address: the gateway allows an address so many messages a second.
const BEHIND_ONE: usize = 20;
const PASSWORD: &str = "correct-horse-battery";

/// The SIP account of an agent: user and password.
pub(crate) fn account(number: usize) -> (String, &'static str) {
    (format!("agent{number}"), PASSWORD)
}

/// Registers a phone for each agent, and lets them decline from then on.
pub(crate) async fn register(gateway: SocketAddr, agents: usize) -> mpsc::Receiver<Invite> {
    let (note, noted) = mpsc::channel(agents.max(1));
    for first in (0..agents).step_by(BEHIND_ONE) {
        let group = u8::try_from(first / BEHIND_ONE).unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 1, group + 1), 0)).await.unwrap();
        socket.connect(gateway).await.unwrap();
        for agent in first..(first + BEHIND_ONE).min(agents) {
            registers(&socket, gateway.ip(), agent).await;
        }
        tokio::spawn(decline(socket, note.clone()));
    }
    noted
}

async fn registers(socket: &UdpSocket, domain: IpAddr, agent: usize) {
    let challenge = asks(socket, &request(socket, domain, agent, 1, "")).await;
    let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = asks(socket, &request(socket, domain, agent, 2, &authorization(domain, agent, nonce))).await;
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
}

async fn asks(socket: &UdpSocket, request: &str) -> String {
    socket.send(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn request(socket: &UdpSocket, domain: IpAddr, agent: usize, cseq: u32, authorization: &str) -> String {
    let (at, (user, _)) = (socket.local_addr().unwrap(), account(agent));
    format!(
        "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{agent}-{cseq};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=1\r\nTo: <sip:{user}@{domain}>\r\n\
         Call-ID: {agent}@phone\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{at}>\r\nExpires: 3600\r\n\
         {authorization}Content-Length: 0\r\n\r\n"
    )
}

/// RFC 7616 §3.4.1. A hash of three parts with colons between them is what [`Ha1s`] makes.
fn authorization(domain: IpAddr, agent: usize, nonce: &str) -> String {
    let md5 = |one: &str, two: &str, three: &str| -> String {
        Ha1s::new(one, two, three).md5().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let ((user, password), domain) = (account(agent), domain.to_string());
    let (ha1, ha2) = (md5(&user, &domain, password), md5("REGISTER", "sip", &domain));
    let response = md5(&ha1, nonce, &format!("00000001:cn:auth:{ha2}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{domain}\", nonce=\"{nonce}\", uri=\"sip:{domain}\", \
         response=\"{response}\", algorithm=MD5, cnonce=\"cn\", qop=auth, nc=00000001\r\n"
    )
}

async fn decline(socket: UdpSocket, note: mpsc::Sender<Invite>) {
    let mut buffer = [0; 8192];
    loop {
        let length = socket.recv(&mut buffer).await.unwrap();
        let at = Instant::now();
        let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let status = match message.split(' ').next() {
            Some("INVITE") => "603 Decline",
            Some("ACK" | "SIP/2.0") | None => continue,
            Some(_) => "200 OK",
        };
        if status.starts_with("603") {
            let user = message.split_once(":agent").unwrap().1;
            let digits: String = user.chars().take_while(char::is_ascii_digit).collect();
            note.send(Invite { agent: digits.parse().unwrap(), at }).await.unwrap();
        }
        socket.send(answer(&message, status).as_bytes()).await.unwrap();
    }
}

fn answer(request: &str, status: &str) -> String {
    let kept = ["via:", "from:", "to:", "call-id:", "cseq:"];
    let lines = request.lines().filter(|line| kept.iter().any(|name| line.to_lowercase().starts_with(name)));
    let tagged = |line: &str| {
        let is_to = line.to_lowercase().starts_with("to:") && !line.contains(";tag=");
        format!("{line}{}\r\n", if is_to { ";tag=phone" } else { "" })
    };
    format!("SIP/2.0 {status}\r\n{}Content-Length: 0\r\n\r\n", lines.map(tagged).collect::<String>())
}
