//! SIP as text, for the least softphone and the least Twilio there are.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

/// Waits for a message that begins like this; others are passed over.
pub(super) fn hears(socket: &UdpSocket, beginning: &str) -> String {
    let mut buffer = [0; 8192];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {beginning}: {error}"));
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.starts_with(beginning) {
            return text;
        }
    }
}

/// The lines of a message's header with this name, as they are.
fn lines(message: &str, name: &str) -> String {
    let of_it = |line: &&str| line.to_lowercase().starts_with(&format!("{name}:"));
    message.lines().filter(of_it).map(|line| format!("{line}\r\n")).collect()
}

/// What a header says.
fn value<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap();
    line.split_once(':').unwrap().1.trim()
}

fn audio(at: SocketAddr) -> String {
    let (ip, port) = (at.ip(), at.port() & !1);
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n\
         a=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    )
}

/// A body with the lines that tell of it.
fn with_body(audio: Option<String>) -> String {
    match audio {
        Some(audio) => {
            format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{audio}", audio.len())
        }
        None => "Content-Length: 0\r\n\r\n".into(),
    }
}

/// Who was called has a tag from the first answer on.
fn tagged(to: &str) -> String {
    let to = to.trim_end();
    if to.contains(";tag=") { format!("{to}\r\n") } else { format!("{to};tag=called\r\n") }
}

/// An answer to a request.
pub(super) fn answer(request: &str, status: &str, at: SocketAddr) -> String {
    let takes_call = request.starts_with("INVITE ") && status.starts_with("200");
    let [via, from, call_id, cseq, route] =
        ["via", "from", "call-id", "cseq", "record-route"].map(|name| lines(request, name));
    let to = tagged(&lines(request, "to"));
    let body = with_body(takes_call.then(|| audio(at)));
    format!("SIP/2.0 {status}\r\n{via}{route}{from}{to}{call_id}{cseq}Contact: <sip:phone@{at}>\r\n{body}")
}

/// The BYE of whoever was called by this INVITE.
pub(super) fn bye_of_called(invite: &str, at: SocketAddr) -> String {
    let contact = value(invite, "contact");
    let uri = contact.trim_start_matches('<').split('>').next().unwrap();
    let (from, to) = (tagged(&format!("From: {}", value(invite, "to"))), value(invite, "from"));
    let call_id = lines(invite, "call-id");
    format!(
        "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-bye;rport\r\nMax-Forwards: 70\r\n\
         {from}To: {to}\r\n{call_id}CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Twilio, as far as the gateway hears of it over SIP.
pub(super) struct Twilio {
    socket: UdpSocket,
    /// `sip:<ticket>@…`.
    uri: String,
}

impl Twilio {
    /// Calls the gateway, as it was told to.
    pub(super) fn calls(gateway: SocketAddr, uri: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(gateway).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let twilio = Self { socket, uri: uri.into() };
        let at = twilio.socket.local_addr().unwrap();
        let invite = twilio.request("INVITE", 1, &with_body(Some(audio(at))), "");
        twilio.socket.send(invite.as_bytes()).unwrap();
        twilio
    }

    /// The final answer to its INVITE, with its code.
    pub(super) fn is_answered(&self) -> (u16, String) {
        loop {
            let answer = hears(&self.socket, "SIP/2.0 ");
            let code = answer[8..11].parse().unwrap();
            if code >= 200 {
                let to = value(&answer, "to");
                let tag = to.split_once(";tag=").map_or("", |(_, tag)| tag);
                let ack = self.request("ACK", 1, &with_body(None), tag);
                self.socket.send(ack.as_bytes()).unwrap();
                return (code, answer);
            }
        }
    }

    /// Is hung up by the gateway.
    pub(super) fn is_hung_up(&self) {
        let bye = hears(&self.socket, "BYE ");
        self.socket.send(answer(&bye, "200 OK", self.socket.local_addr().unwrap()).as_bytes()).unwrap();
    }

    fn request(&self, method: &str, cseq: u32, body: &str, tag: &str) -> String {
        let (uri, at) = (&self.uri, self.socket.local_addr().unwrap());
        let port = at.port();
        let to = if tag.is_empty() { format!("<{uri}>") } else { format!("<{uri}>;tag={tag}") };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{method}-{port}\r\nMax-Forwards: 70\r\n\
             From: <sip:+15550100@twilio>;tag={port}\r\nTo: {to}\r\nCall-ID: {port}@twilio\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:{at}>\r\n{body}"
        )
    }
}
