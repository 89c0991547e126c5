//! As much of rtpengine's control protocol as calls need: bencoded dictionaries in datagrams, behind a cookie.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use offdesk_sip::sdp::{Description, Origin};

pub(crate) struct Control {
    socket: UdpSocket,
    server: SocketAddr,
    calls: usize,
}

// === impl Control ===

impl Control {
    /// For a server that is not there yet, at a port that is free now.
    pub(crate) fn new() -> Self {
        let socket = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = socket().local_addr().unwrap();
        let socket = socket();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Self { socket, server, calls: 0 }
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    /// Until the server answers.
    pub(crate) fn wait(&self) {
        assert!((0..100).any(|_| self.ask("d7:command4:pinge").is_some()), "rtpengine does not answer");
    }

    /// Where the peers of this offer and this answer are to send to.
    pub(crate) fn call(&mut self, [offer, answer]: [Description; 2]) -> [SocketAddr; 2] {
        self.calls += 1;
        let id = format!("call{}", self.calls);
        let common =
            |command: &str| vec![("call-id", id.clone()), ("command", command.into()), ("from-tag", "a".into())];
        let sdp = |description: &Description| ("sdp", description.write(Origin::new(4)));
        let for_b = self.place(&[common("offer"), vec![sdp(&offer)]].concat());
        let for_a = self.place(&[common("answer"), vec![sdp(&answer), ("to-tag", "b".into())]].concat());
        [for_a, for_b]
    }

    fn place(&self, entries: &[(&str, String)]) -> SocketAddr {
        let entries: String = entries.iter().map(|(key, value)| text(key) + &text(value)).collect();
        let answer = (0..20).find_map(|_| self.ask(&format!("d{entries}e"))).unwrap();
        let (_, sdp) = answer.split_once("3:sdp").unwrap_or_else(|| panic!("rtpengine says {answer}"));
        let (length, sdp) = sdp.split_once(':').unwrap();
        let sdp = &sdp.as_bytes()[..length.parse().unwrap()];
        Description::parse(sdp).unwrap().audio.rtp().unwrap()
    }

    /// One try. The same question again has the same cookie, and is answered from memory.
    fn ask(&self, question: &str) -> Option<String> {
        let cookie = format!("{}_{}", std::process::id(), self.calls * 2 + usize::from(question.contains("6:answer")));
        let asked = format!("{cookie} {question}");
        self.socket.send_to(asked.as_bytes(), self.server).ok()?;
        let mut buffer = [0; 65_536];
        let length = self.socket.recv(&mut buffer).ok()?;
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        answer.strip_prefix(&format!("{cookie} ")).map(str::to_owned)
    }
}

fn text(value: &str) -> String {
    format!("{}:{value}", value.len())
}
