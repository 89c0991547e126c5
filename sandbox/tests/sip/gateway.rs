//! The other side of the stand-in's calls, played word by word over UDP.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use offdesk_sandbox::{CustomerCall, Handle, Options, Sid};

use crate::support::{ADA, client, start};

/// How long the machine may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long is waited for what does not come.
const SILENCE: Duration = Duration::from_millis(300);

pub(crate) struct Gateway {
    pub(crate) sandbox: Handle,
    socket: UdpSocket,
    twilio: SocketAddr,
    pub(crate) rtp: UdpSocket,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Self::of(|_| {})
    }

    pub(crate) fn of(change: impl FnOnce(&mut Options)) -> Self {
        let sandbox = start(|options| {
            options.sip = Some([127, 0, 0, 1].into());
            change(options);
        });
        let socket = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
            socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
            socket
        };
        let twilio = sandbox.sip_address().expect("SIP is on");
        Self { sandbox, socket: socket(), twilio, rtp: socket() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }

    /// A customer calls, and the gateway has Twilio call it.
    pub(crate) async fn is_called(&self, more: &[(&str, &str)]) -> (CustomerCall, Invite) {
        let call = self.sandbox.place_call("+15550123");
        self.instruct(&call, &format!("sip:ticket@{}", self.address()), more).await;
        (call, Invite(self.hears("INVITE ")))
    }

    pub(crate) async fn instruct(&self, call: &CustomerCall, to: &str, more: &[(&str, &str)]) {
        let reservation = self.sandbox.snapshot().reservation_of(&call.task_sid).expect("an offer").sid.clone();
        let facts = self.sandbox.facts();
        let mut form = vec![("Instruction", "conference"), ("From", "+15550100"), ("To", to)];
        form.extend(more);
        let path = format!("Tasks/{}/Reservations/{reservation}", call.task_sid);
        let answer = client()
            .post(format!("{}/v1/Workspaces/{}/{path}", self.sandbox.url(), facts.workspace_sid))
            .basic_auth(&facts.account_sid, Some(&facts.auth_token))
            .form(&form)
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), 200);
    }

    pub(crate) fn says(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.twilio).expect("it is sent");
    }

    /// The next message that begins so.
    pub(crate) fn hears(&self, beginning: &str) -> String {
        loop {
            let text = self.reads().unwrap_or_else(|| panic!("no {beginning}comes"));
            if text.starts_with(beginning) {
                return text;
            }
        }
    }

    /// Whether nothing like that comes, in the time in which it would have.
    pub(crate) fn hears_no(&self, beginning: &str) -> bool {
        self.socket.set_read_timeout(Some(SILENCE)).expect("a socket");
        let came = std::iter::from_fn(|| self.reads()).any(|text| text.starts_with(beginning));
        self.socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        !came
    }

    fn reads(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// What it takes sound at.
    pub(crate) fn sdp(&self, direction: &str) -> String {
        let port = self.rtp.local_addr().expect("a bound socket").port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        )
    }

    /// Takes the call: answers the ACK.
    pub(crate) fn answers(&self, invite: &Invite) -> String {
        self.says(&invite.response(
            "200 OK",
            &[&format!("Contact: <sip:gateway@{}>", self.address())],
            &self.sdp("sendrecv"),
        ));
        self.hears("ACK ")
    }

    /// A leg of the only call over SIP.
    pub(crate) fn leg(&self) -> offdesk_sandbox::CallView {
        let state = self.sandbox.snapshot();
        state.calls.into_iter().find(|call| call.to.starts_with("sip:")).expect("a call over SIP")
    }

    pub(crate) async fn until(&self, mut so: impl FnMut(&offdesk_sandbox::CallView) -> bool) {
        let leg: Sid = self.leg().sid;
        let state = self.sandbox.wait_until(PATIENCE, |state| state.call(&leg).is_some_and(&mut so)).await;
        state.expect("the leg gets there");
    }
}

/// Its agent is there from the start.
pub(crate) const AGENT: &str = ADA;

/// An INVITE of Twilio's.
pub(crate) struct Invite(pub(crate) String);

impl Invite {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        all(&self.0, name)
    }

    pub(crate) fn one(&self, name: &str) -> &str {
        one(&self.0, name)
    }

    pub(crate) fn response(&self, status: &str, more: &[&str], body: &str) -> String {
        response(&self.0, status, more, body)
    }

    /// A request of the gateway's within the call.
    pub(crate) fn request(&self, method: &str, number: u32, routes: &[&str], body: &str) -> String {
        let contact = self.one("Contact").trim_start_matches('<').trim_end_matches('>');
        let routes: String = routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
        format!(
            "{method} {contact} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{method}{number}{};rport\r\n\
             Max-Forwards: 70\r\n{routes}From: {};tag=gateway\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\n{}",
            routes.len(),
            self.one("To"),
            self.one("From"),
            self.one("Call-ID"),
            ended(body, &["Contact: <sip:gateway@127.0.0.1:9>"]),
        )
    }
}

pub(crate) fn all<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

pub(crate) fn one<'a>(text: &'a str, name: &str) -> &'a str {
    all(text, name).first().copied().unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Answers a request: what begins a call gets a tag and the Record-Route back.
pub(crate) fn response(request: &str, status: &str, more: &[&str], body: &str) -> String {
    let copied = ["Via", "Record-Route", "From", "Call-ID", "CSeq"];
    let copied: String = copied
        .iter()
        .flat_map(|name| all(request, name).into_iter().map(move |value| format!("{name}: {value}\r\n")))
        .collect();
    let to = one(request, "To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=gateway" };
    format!("SIP/2.0 {status}\r\n{copied}To: {to}{tag}\r\n{}", ended(body, more))
}

fn ended(body: &str, more: &[&str]) -> String {
    let more: String = more.iter().map(|line| format!("{line}\r\n")).collect();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{more}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}
