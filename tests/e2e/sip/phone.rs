//! The least softphone there is: it registers over UDP, answers OPTIONS, and takes calls or not.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use offdesk_sip::digest::Ha1s;

use super::talk;

pub(crate) struct Phone {
    socket: UdpSocket,
    user: String,
    password: String,
    cseq: u32,
}

impl Phone {
    /// Its port is from now on the gateway's way to it.
    pub(crate) fn new(gateway: SocketAddr, user: &str, password: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(gateway).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { socket, user: user.into(), password: password.into(), cseq: 0 }
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Registers for so many seconds; answers the code of the answer to its credentials.
    pub(crate) fn registers(&mut self, expires: u32) -> u16 {
        let challenge = self.asks(&self.register(expires, ""));
        assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
        let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let authorization = self.authorization(nonce);
        let answer = self.asks(&self.register(expires, &authorization));
        answer[8..11].parse().unwrap()
    }

    /// Waits for the gateway's OPTIONS and answers it.
    pub(crate) fn answers_a_question(&self) {
        let question = self.hears("OPTIONS ");
        self.answers(&question, "200 OK");
    }

    /// Is rung: the INVITE. From here on it rings.
    pub(crate) fn rings(&self) -> String {
        let invite = talk::hears(&self.socket, "INVITE ");
        self.answers(&invite, "180 Ringing");
        invite
    }

    /// Answers a request; a 200 to an INVITE has audio.
    pub(crate) fn answers(&self, request: &str, status: &str) {
        self.socket.send(talk::answer(request, status, self.address()).as_bytes()).unwrap();
    }

    /// Takes the call: answers and is acknowledged.
    pub(crate) fn takes(&self, invite: &str) {
        self.answers(invite, "200 OK");
        talk::hears(&self.socket, "ACK ");
    }

    /// Hangs up what it has taken.
    pub(crate) fn hangs_up(&self, invite: &str) {
        self.socket.send(talk::bye_of_called(invite, self.address()).as_bytes()).unwrap();
        talk::hears(&self.socket, "SIP/2.0 200 ");
    }

    /// Is told that the ringing is over, and agrees.
    pub(crate) fn is_cancelled(&self, invite: &str) {
        let cancel = talk::hears(&self.socket, "CANCEL ");
        self.answers(&cancel, "200 OK");
        self.answers(invite, "487 Request Terminated");
        talk::hears(&self.socket, "ACK ");
    }

    /// Is hung up.
    pub(crate) fn is_hung_up(&self) {
        let bye = talk::hears(&self.socket, "BYE ");
        self.answers(&bye, "200 OK");
    }

    fn asks(&mut self, request: &str) -> String {
        self.socket.send(request.as_bytes()).unwrap();
        self.cseq += 1;
        self.hears("SIP/2.0 ")
    }

    fn hears(&self, beginning: &str) -> String {
        talk::hears(&self.socket, beginning)
    }

    fn domain(&self) -> String {
        self.socket.peer_addr().unwrap().ip().to_string()
    }

    fn register(&self, expires: u32, authorization: &str) -> String {
        let (user, domain, at, cseq) = (&self.user, self.domain(), self.address(), self.cseq);
        format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{port}-{cseq};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=1\r\nTo: <sip:{user}@{domain}>\r\n\
             Call-ID: {port}@phone\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{at}>\r\nExpires: {expires}\r\n\
             {authorization}Content-Length: 0\r\n\r\n",
            port = at.port(),
        )
    }

    /// RFC 7616 §3.4.1. A hash of three parts with colons between them is what [`Ha1s`] makes.
    fn authorization(&self, nonce: &str) -> String {
        let md5 = |one: &str, two: &str, three: &str| -> String {
            Ha1s::new(one, two, three).md5().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let (user, domain) = (&self.user, self.domain());
        let ha1 = md5(user, &domain, &self.password);
        let ha2 = md5("REGISTER", "sip", &domain);
        let response = md5(&ha1, nonce, &format!("00000001:cn:auth:{ha2}"));
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{domain}\", nonce=\"{nonce}\", uri=\"sip:{domain}\", \
             response=\"{response}\", algorithm=MD5, cnonce=\"cn\", qop=auth, nc=00000001\r\n"
        )
    }
}
