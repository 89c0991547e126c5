//! Where calls are made, and where what comes of them is told to the world.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use offdesk_sip::{
    leg::{End, Event, Invite, LegId, Login, Reach, Reason},
    message::Code,
    transport::Flow,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    NewCall, Order,
    address::Address,
    agent::{Act, Agent},
    edge::Edge,
    media::Media,
    random::numbers,
    sockets::{Came, Open, Sockets},
};
use crate::{
    engine::Engine,
    log::{FlowDirection, LogEntry},
    world::{sid::Sid, sip::SipEnd},
};

/// The world ends what rings too long; its clock may be one that a test moves, and then this ends it.
const LONGER: Duration = Duration::from_secs(15);
/// Nothing is due for so long at most.
const IDLE: Duration = Duration::from_secs(60);

pub(super) async fn run(engine: Arc<Engine>, sockets: Sockets, mut orders: mpsc::Receiver<Order>) -> io::Result<()> {
    let at = sockets.address();
    let mut switch = Switch {
        engine,
        at,
        edge: Edge::new(at),
        agent: Agent::new(numbers()),
        sockets: sockets.open()?,
        numbers: Box::new(numbers()),
        calls: HashMap::new(),
        legs: HashMap::new(),
    };
    loop {
        let due = switch.agent.next_timeout().map_or_else(|| now() + IDLE, Instant::from_std);
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Call(call)) => switch.call(*call).await,
                Some(Order::End(sid)) => switch.end(&sid),
                None => return Ok(()),
            },
            came = switch.sockets.next() => switch.came(came),
            () = sleep_until(due) => switch.agent.timeout(now().into_std()),
        }
        switch.carry_out().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "SIP repeats and RTP flows in real time, whatever the world's clock says"
)]
fn now() -> Instant {
    Instant::now()
}

struct Switch {
    engine: Arc<Engine>,
    at: SocketAddr,
    edge: Edge,
    agent: Agent,
    sockets: Open,
    numbers: Box<dyn FnMut() -> u64 + Send>,
    /// Those that the world has not ended.
    calls: HashMap<Sid, LegId>,
    legs: HashMap<LegId, (Sid, Media)>,
}

impl Switch {
    async fn call(&mut self, call: NewCall) {
        let Some(address) = Address::parse(&call.to) else { return self.fails(&call.sid) };
        let media = match Media::bind(self.at.ip(), (self.numbers)()).await {
            Ok(media) => media,
            Err(_) => return self.fails(&call.sid),
        };
        let invite = self.invite(&call, &address, &media);
        match self.agent.legs.call(invite, now().into_std()) {
            Ok(leg) => {
                self.calls.insert(call.sid.clone(), leg);
                self.legs.insert(leg, (call.sid, media));
            }
            Err(_) => self.fails(&call.sid),
        }
    }

    /// (<https://www.twilio.com/docs/voice/api/sip-making-calls>, and what is seen of it on the wire.)
    fn invite(&self, call: &NewCall, address: &Address, media: &Media) -> Invite {
        let from = format!("<sip:{}@{}>", escaped(&call.from), self.at);
        let line = |name: &str, value: &str| (name.into(), value.into());
        let mut headers = vec![
            line("X-Twilio-AccountSid", call.account.as_str()),
            line("X-Twilio-ApiVersion", "2010-04-01"),
            line("X-Twilio-CallSid", call.sid.as_str()),
            line("P-Asserted-Identity", &from),
        ];
        headers.extend(address.headers.iter().cloned());
        Invite {
            target: address.uri.as_str().into(),
            routes: Vec::new(),
            flow: address.flow,
            reach: Reach::Flow,
            to: format!("<{}>", address.uri).into(),
            from: from.into(),
            headers,
            sdp: media.offer().into(),
            until: now().into_std() + Duration::from_secs(call.ring_s) + LONGER,
            login: call.login.as_ref().map(|login| Arc::new(Login::new(&login.user, &login.password))),
        }
    }

    /// It cannot even be begun.
    fn fails(&self, sid: &Sid) {
        self.engine.act(|world| world.sip_ends(sid, SipEnd::Refused(Code::SERVICE_UNAVAILABLE.get())));
    }

    fn end(&mut self, sid: &Sid) {
        if let Some(leg) = self.calls.remove(sid) {
            self.agent.legs.end(leg, Reason::Plain, now().into_std());
        }
    }

    fn came(&mut self, came: Came) {
        match came {
            Came::Message(flow, bytes) => {
                let seen = bytes.clone();
                let message = self.edge.inward(bytes);
                let note = message.is_none().then_some("not by Twilio's Record-Route and Contact: nobody gets it");
                self.log(&seen, flow, note);
                if let Some(message) = message {
                    self.agent.receive(&message, flow, now().into_std());
                }
            }
            Came::Unsent(id) => self.agent.unsent(id, now().into_std()),
            Came::Closed(..) => {}
        }
    }

    /// Sends what is to be sent, and tells what has happened, until there is nothing more.
    async fn carry_out(&mut self) {
        self.agent.settle(None, now().into_std());
        while let Some(act) = self.agent.take_act() {
            match act {
                Act::Send { id, flow, bytes } => {
                    let Some((bytes, flow)) = self.edge.outward(&bytes, flow) else { continue };
                    self.log(&bytes, flow, None);
                    if !self.sockets.send(id, flow, bytes).await
                        && let Some(id) = id
                    {
                        self.agent.unsent(id, now().into_std());
                    }
                }
                Act::Tell(leg, event) => self.told(leg, event),
            }
            self.agent.settle(None, now().into_std());
        }
    }

    fn told(&mut self, leg: LegId, event: Event) {
        let now = now().into_std();
        let Some((sid, media)) = self.legs.get_mut(&leg) else { return };
        match event {
            Event::Progress { .. } => self.engine.act(|world| world.sip_rings(sid)),
            Event::Answered { sdp } if media.answered(&sdp) => {
                #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
                media.run(Arc::clone(&self.engine), sid.clone(), (self.numbers)() as u32);
                self.engine.act(|world| world.sip_answers(sid));
            }
            // Nothing that could be heard.
            Event::Answered { .. } => {
                self.agent.legs.end(leg, Reason::Plain, now);
                self.engine.act(|world| world.sip_ends(sid, SipEnd::Refused(Code::NOT_ACCEPTABLE_HERE.get())));
            }
            Event::Offer { sdp } => match media.offered(&sdp) {
                Some(answer) => self.agent.legs.answer(leg, Bytes::from(answer), now),
                None => self.agent.legs.refuse(leg, Code::NOT_ACCEPTABLE_HERE, now),
            },
            Event::Ended(end) => self.ended(leg, end),
            Event::Confirmed { .. } | Event::Accepted { .. } | Event::Refreshed { .. } | Event::Refused { .. } => {}
        }
    }

    fn ended(&mut self, leg: LegId, end: End) {
        let Some((sid, _)) = self.legs.remove(&leg) else { return };
        self.calls.remove(&sid);
        let end = match end {
            End::Declined(code) => SipEnd::Refused(code.get()),
            End::NoAnswer => SipEnd::Refused(Code::REQUEST_TIMEOUT.get()),
            End::Unreachable => SipEnd::Refused(Code::SERVICE_UNAVAILABLE.get()),
            End::NoSession => SipEnd::Refused(Code::NOT_ACCEPTABLE_HERE.get()),
            // What we ended was ended by the world, which does not hear of it twice.
            End::ByUs | End::ByPeer | End::Cancelled | End::Lost | End::Expired => SipEnd::Over,
        };
        self.engine.act(|world| world.sip_ends(&sid, end));
    }

    /// What went over the wire, for people and tests: its start line, and its headers.
    fn log(&self, bytes: &[u8], flow: Flow, note: Option<&str>) {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let (start, lines) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut words = start.split(' ');
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let status = second.parse().ok().filter(|_| first == "SIP/2.0");
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let params: Vec<_> = lines.split("\r\n").filter_map(header).collect();
        let cseq = params.iter().find(|(name, _)| name == "CSeq").map_or("", |(_, value)| value);
        let method = cseq.split(' ').next_back().unwrap_or_default().to_owned();
        self.engine.log(LogEntry {
            id: 0,
            at_ms: self.engine.time.now_ms(),
            direction: FlowDirection::Sip,
            name: if status.is_some() { format!("{second} to {method}") } else { first.to_owned() },
            method,
            url: if status.is_some() { flow.peer.to_string() } else { second.to_owned() },
            params,
            status,
            answer: body.to_owned(),
            note: note.map(str::to_owned),
            token: None,
        });
    }
}

/// A number as the user of a SIP address; what no user may have is left out.
fn escaped(from: &str) -> String {
    let user: String =
        from.chars().filter(|letter| letter.is_ascii_alphanumeric() || "+-_.!~*'()".contains(*letter)).collect();
    if user.is_empty() { "anonymous".to_owned() } else { user }
}
