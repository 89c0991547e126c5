//! A flood of REGISTERs from one address, while phones at another register.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use offdesk_sip::digest::Ha1s;

use crate::{
    engine,
    figures::{Runs, Targets},
    phones::{DOMAIN, PASSWORD, user},
    server::Server,
};

const PER_SECOND: u64 = 20_000;
const REGISTRATIONS: usize = 2_000;
/// One every so often.
const EVERY: Duration = Duration::from_millis(5);
const LEAST_REGISTERED: f64 = 0.99;
const MOST_P99_MS: f64 = 500.0;
/// What a phone waits before it repeats itself, and how often it does (RFC 3261 §17.1.2.2).
const REPEAT: Duration = Duration::from_millis(500);
const TRIES: usize = 4;
/// More growth than this is not flat.
const MOST_GROWTH_KB: f64 = 512.0;
const ALONE: Duration = Duration::from_secs(5);

pub(crate) fn measure(targets: &mut Targets) {
    let server = engine::start(REGISTRATIONS);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flood = {
        let (at, stop, sent) = (server.address(), stop.clone(), sent.clone());
        thread::spawn(move || pour(at, &stop, &sent))
    };
    thread::sleep(Duration::from_secs(1));
    let (began, cpu) = (Instant::now(), server.cpu());
    let poured = sent.load(Ordering::Relaxed);
    let times = register_all(&server);
    let seconds = began.elapsed().as_secs_f64();
    let rate = (sent.load(Ordering::Relaxed) - poured) as f64 / seconds;
    let (before, cpu) = (server.pss_kb(), (server.cpu() - cpu).as_secs_f64());
    // The flood alone: registrations take memory, and are to.
    thread::sleep(ALONE);
    let growth = server.pss_kb() - before;
    stop.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    let registered = times.len() as f64 / REGISTRATIONS as f64;
    let p99 = Runs::new(times, "ms").quantile(0.99);
    println!(
        "flood of {rate:.0}/s for {seconds:.0} s: {:.1} % registered, p99 {p99:.0} ms, {growth:.0} kB more, {:.0} % of a core",
        registered * 100.0,
        cpu / seconds * 100.0
    );
    targets.at_least("flood: others that register", registered, LEAST_REGISTERED);
    targets.at_most("flood: p99 of their registrations, in ms", p99, MOST_P99_MS);
    targets.at_most("flood: growth, in kB", growth, MOST_GROWTH_KB);
}

/// From another address of the loopback network, without credentials.
fn pour(at: SocketAddr, stop: &AtomicBool, sent: &AtomicU64) {
    let socket = UdpSocket::bind("127.0.0.2:0").unwrap();
    let from = socket.local_addr().unwrap();
    let began = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let due = began.elapsed().as_micros() as u64 * PER_SECOND / 1_000_000;
        for number in sent.load(Ordering::Relaxed)..due {
            let text = register(from, "flood", number as usize, 1, "");
            let _ = socket.send_to(text.as_bytes(), at);
        }
        sent.store(due, Ordering::Relaxed);
        thread::sleep(Duration::from_micros(500));
    }
}

/// The milliseconds that each registration took; one that failed is not there.
fn register_all(server: &Server) -> Vec<f64> {
    let began = Instant::now();
    let phones: Vec<_> = (0..8)
        .map(|lane| {
            let at = server.address();
            thread::spawn(move || {
                let mut times = Vec::new();
                for number in (lane..REGISTRATIONS).step_by(8) {
                    let due = EVERY * u32::try_from(number).unwrap();
                    thread::sleep(due.saturating_sub(began.elapsed()));
                    let started = Instant::now();
                    if registers(at, number).is_some() {
                        times.push(started.elapsed().as_secs_f64() * 1e3);
                    }
                }
                times
            })
        })
        .collect();
    phones.into_iter().flat_map(|phone| phone.join().unwrap()).collect()
}

fn registers(at: SocketAddr, number: usize) -> Option<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.connect(at).ok()?;
    socket.set_read_timeout(Some(REPEAT)).ok()?;
    let (from, user) = (socket.local_addr().ok()?, user(number));
    let challenge = asks(&socket, &register(from, &user, number, 1, ""), "SIP/2.0 401")?;
    let nonce = challenge.split("nonce=\"").nth(1)?.split('"').next()?.to_owned();
    // A hash of three parts with colons between them is what `Ha1s` makes.
    let md5 = |one: &str, two: &str, three: &str| -> String {
        Ha1s::new(one, two, three).md5().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let (ha1, ha2) = (md5(&user, DOMAIN, PASSWORD), md5("REGISTER", "sip", DOMAIN));
    let response = md5(&ha1, &nonce, &format!("00000001:cn:auth:{ha2}"));
    let credentials = format!(
        "Authorization: Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"sip:{DOMAIN}\", \
         response=\"{response}\", algorithm=MD5, cnonce=\"cn\", qop=auth, nc=00000001\r\n"
    );
    asks(&socket, &register(from, &user, number, 2, &credentials), "SIP/2.0 200").map(drop)
}

fn asks(socket: &UdpSocket, request: &str, beginning: &str) -> Option<String> {
    let mut buffer = [0; 4096];
    for _ in 0..TRIES {
        socket.send(request.as_bytes()).ok()?;
        if let Ok(length) = socket.recv(&mut buffer) {
            let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
            return answer.starts_with(beginning).then_some(answer);
        }
    }
    None
}

fn register(from: SocketAddr, user: &str, number: usize, cseq: u32, credentials: &str) -> String {
    format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{number}-{cseq};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{DOMAIN}>;tag={number}\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: {number}@{from}\r\n\
         CSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{from}>\r\nExpires: 3600\r\n{credentials}Content-Length: 0\r\n\r\n"
    )
}
