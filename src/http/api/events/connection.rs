//! One connection: it passes on what the agent tells, minds whether the client is still there, and goes when it is told to.

use std::{io, sync::Arc, time::Duration};

use actix_web::{error::PayloadError, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Closed, ProtocolError, Session};
use bytestring::ByteString;
use tokio::sync::{mpsc, oneshot};

use super::{
    super::Api,
    connections::{Farewell, Place},
    frames::{Frame, FromClient, Picture},
};
use crate::{
    actors::ask::{self, Command, Event, NoAnswer, Seat, Start, Told},
    clock::Clock,
    domain::{ConversationSid, Timestamp},
    sessions::{End, Who},
};

/// How often a client is asked whether it is there, and after which silence it is not. What is open on a phone that has gone
/// counts as read for so long.
const PING_EVERY: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(35);
/// How long a frame may take to leave.
const SLOW: Duration = Duration::from_secs(5);
/// How long the last frame may.
const PARTING: Duration = Duration::from_secs(1);
/// An agent that does not answer is asked again so soon, and so often.
const AGAIN: Duration = Duration::from_millis(500);
const TIMES: u32 = 20;

/// Why a connection ends from our side. The names of sessions' ends are those of the API's 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Farewell(Farewell),
    /// The client does not keep up.
    Slow,
    /// Nothing is heard of the client.
    Silent,
    /// The agent's part of the gateway does not answer.
    NoAnswer,
    Binary,
    TooLarge,
    Nonsense,
    Broken,
}

/// The end of a connection.
enum Over {
    /// We say why.
    Say(Last),
    /// The client has said so, and wants to hear it back.
    Client(Option<CloseReason>),
    /// It is gone.
    Gone,
}

pub(super) struct Connection {
    pub(super) api: web::Data<Api>,
    pub(super) who: Who,
    pub(super) place: Place,
    pub(super) farewell: oneshot::Receiver<Farewell>,
    pub(super) session: Session,
    pub(super) client: AggregatedMessageStream,
    /// The last event that the client has.
    pub(super) seen: Option<u64>,
    pub(super) open: Option<ConversationSid>,
    pub(super) heard_at: Timestamp,
}

impl Connection {
    pub(super) async fn run(mut self, seat: Seat) {
        let over = self.serve(seat).await;
        let reason = match over {
            Over::Say(last) => {
                metrics::counter!("offdesk_event_connections_closed_total", "reason" => last.label()).increment(1);
                Some(last.reason())
            }
            Over::Client(reason) => reason,
            Over::Gone => return,
        };
        // Whoever does not read does not read this either.
        let clock = self.api.clock.clone();
        let _ = within(&clock, PARTING, self.session.close(reason)).await;
    }

    /// What happens rarely has its room only while it happens: there are many connections, and nearly all of them wait.
    async fn serve(&mut self, seat: Seat) -> Over {
        let mut told = match Box::pin(self.start(seat)).await {
            Ok(told) => told,
            Err(over) => return over,
        };
        let clock = self.api.clock.clone();
        let mut ping = Box::pin(clock.sleep(PING_EVERY));
        loop {
            let step = tokio::select! {
                biased;
                farewell = &mut self.farewell => Box::pin(self.part(farewell)).await,
                news = told.recv() => match news {
                    Some(Told::Event(event)) => self.pass_on(&event).await,
                    Some(Told::TooSlow) => Err(Over::Say(Last::Slow)),
                    None => Box::pin(self.come_back()).await.map(|line| told = line),
                },
                said = self.client.recv() => Box::pin(self.hear(said)).await,
                () = &mut ping => {
                    ping = Box::pin(clock.sleep(PING_EVERY));
                    Box::pin(self.ping()).await
                }
            };
            if let Err(over) = step {
                return over;
            }
        }
    }

    /// Shows where things stand, or what was missed.
    async fn start(&mut self, Seat { start, told }: Seat) -> Result<mpsc::Receiver<Told>, Over> {
        match start {
            Start::Snapshot { seq, view } => {
                let picture = Picture::new(*view, &self.api, self.api.clock.now());
                self.text(Frame::Snapshot { seq, picture }.json()).await?;
                self.seen = Some(seq);
            }
            Start::Resumed(missed) => {
                for event in missed {
                    self.pass_on(&event).await?;
                }
            }
        }
        Ok(told)
    }

    /// The agent has left the memory or died: it is asked for a place again, and shows anew where things stand.
    async fn come_back(&mut self) -> Result<mpsc::Receiver<Told>, Over> {
        for _ in 0..TIMES {
            let (api, number) = (self.api.clone(), self.place.number);
            let asking = ask::listen(&api.directory, self.who.agent, number, self.seen);
            let seat = tokio::select! {
                farewell = &mut self.farewell => return Err(self.part(farewell).await.err().unwrap_or(Over::Gone)),
                seat = asking => seat,
            };
            match seat {
                Ok(seat) => {
                    let told = self.start(seat).await?;
                    self.show().await;
                    return Ok(told);
                }
                Err(NoAnswer) => self.api.clock.sleep(AGAIN).await,
            }
        }
        Err(Over::Say(Last::NoAnswer))
    }

    async fn pass_on(&mut self, event: &Arc<Event>) -> Result<(), Over> {
        self.text(event.wire(|event| Frame::of(event).json())).await?;
        self.seen = Some(event.seq);
        Ok(())
    }

    /// Sends a frame, unless the connection is to end or the client does not read.
    async fn text(&mut self, json: web::Bytes) -> Result<(), Over> {
        // What serde_json writes is UTF-8.
        let text = ByteString::try_from(json).map_err(|_| Over::Gone)?;
        let slow = self.api.clock.sleep(SLOW);
        let step = tokio::select! {
            biased;
            sent = self.session.text(text) => return sent.map_err(|Closed| Over::Gone),
            farewell = &mut self.farewell => Some(farewell),
            () = slow => None,
        };
        match step {
            Some(farewell) => Box::pin(self.part(farewell)).await,
            None => Err(Over::Say(Last::Slow)),
        }
    }

    /// A superseded session hears so in a frame of its own first.
    async fn part(&mut self, farewell: Result<Farewell, oneshot::error::RecvError>) -> Result<(), Over> {
        let Ok(farewell) = farewell else { return Err(Over::Gone) };
        if farewell == Farewell::Over(End::Superseded) {
            let frame = Frame::SessionSuperseded { seq: self.seen.unwrap_or_default(), session: self.who.session };
            let text = ByteString::try_from(frame.json()).unwrap_or_default();
            let clock = self.api.clock.clone();
            let _ = within(&clock, PARTING, self.session.text(text)).await;
        }
        Err(Over::Say(Last::Farewell(farewell)))
    }

    async fn hear(&mut self, said: Option<Result<AggregatedMessage, ProtocolError>>) -> Result<(), Over> {
        self.heard_at = self.api.clock.now();
        match said {
            None => Err(Over::Gone),
            Some(Err(error)) => Err(Last::of(&error).map_or(Over::Gone, Over::Say)),
            Some(Ok(AggregatedMessage::Text(text))) => self.take(&text).await,
            Some(Ok(AggregatedMessage::Binary(_))) => Err(Over::Say(Last::Binary)),
            Some(Ok(AggregatedMessage::Ping(bytes))) => {
                let clock = self.api.clock.clone();
                match within(&clock, SLOW, self.session.pong(&bytes)).await {
                    Some(sent) => sent.map_err(|Closed| Over::Gone),
                    None => Err(Over::Say(Last::Slow)),
                }
            }
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
            Some(Ok(AggregatedMessage::Close(reason))) => Err(Over::Client(reason)),
        }
    }

    async fn take(&mut self, text: &str) -> Result<(), Over> {
        match serde_json::from_str(text) {
            Ok(FromClient::Open { conversation }) if conversation == self.open => Ok(()),
            Ok(FromClient::Open { conversation }) => {
                self.open = conversation;
                self.show().await;
                Ok(())
            }
            Ok(FromClient::Other) => Ok(()),
            Err(_) => Err(Over::Say(Last::Nonsense)),
        }
    }

    /// Tells the agent which conversation is open. One that does not hear it counts messages as unread: nothing is lost.
    async fn show(&self) {
        let (viewer, conversation) = (self.place.number, self.open.clone());
        if let Err(error) =
            ask::order(&self.api.directory, self.who.agent, Command::Show { viewer, conversation }).await
        {
            tracing::debug!(agent = %self.who.agent, %error, "that a conversation is open was not heard");
        }
    }

    /// Asks whether the client is there. That it is counts as a use of its session, as a request would.
    async fn ping(&mut self) -> Result<(), Over> {
        if self.api.book.enabled(self.who.agent).is_none() {
            return Err(Over::Say(Last::Farewell(Farewell::Over(End::Revoked))));
        }
        if !self.api.sessions.is_live(self.who) {
            return Err(Over::Say(Last::Farewell(Farewell::Over(End::Expired))));
        }
        if self.api.clock.now().since(self.heard_at) >= SILENCE {
            return Err(Over::Say(Last::Silent));
        }
        self.api.sessions.note_use(self.who);
        let clock = self.api.clock.clone();
        match within(&clock, SLOW, self.session.ping(b"")).await {
            Some(sent) => sent.map_err(|Closed| Over::Gone),
            None => Err(Over::Say(Last::Slow)),
        }
    }
}

/// What comes of something, if it comes in time.
async fn within<T>(clock: &Clock, time: Duration, doing: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = doing => Some(done),
        () = clock.sleep(time) => None,
    }
}

impl Last {
    /// None: the connection broke.
    fn of(error: &ProtocolError) -> Option<Self> {
        let ProtocolError::Io(error) = error else {
            return Some(if matches!(error, ProtocolError::Overflow) { Self::TooLarge } else { Self::Broken });
        };
        match error.kind() {
            // The text is not UTF-8 (RFC 6455, section 8.1). A frame with reserved bits is not told from it.
            io::ErrorKind::InvalidData => Some(Self::Nonsense),
            _ if error.get_ref().is_some_and(|cause| cause.is::<PayloadError>()) => None,
            // So a message of several frames is refused that is too large in all.
            _ => Some(Self::TooLarge),
        }
    }

    /// What the client is told (RFC 6455, section 7.4; codes from 4000 are ours).
    fn reason(self) -> CloseReason {
        let (code, why) = match self {
            Self::Farewell(Farewell::Over(how)) => (CloseCode::Other(4401), code_of(how)),
            Self::Farewell(Farewell::Drain) => (CloseCode::Restart, "the gateway restarts: come back"),
            Self::Farewell(Farewell::Displaced) => (CloseCode::Other(4409), "too many connections: the newest stay"),
            Self::Slow => (CloseCode::Again, "too slow: come back"),
            Self::Silent => (CloseCode::Other(4408), "nothing was heard of you"),
            Self::NoAnswer => (CloseCode::Again, "the gateway is busy: come back"),
            Self::Binary => (CloseCode::Unsupported, "text frames only"),
            Self::TooLarge => (CloseCode::Size, "too large"),
            Self::Nonsense => (CloseCode::Invalid, "not of the form that is understood here"),
            Self::Broken => (CloseCode::Protocol, "not WebSocket"),
        };
        CloseReason { code, description: Some(why.to_owned()) }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Farewell(Farewell::Over(how)) => code_of(how),
            Self::Farewell(Farewell::Drain) => "drain",
            Self::Farewell(Farewell::Displaced) => "displaced",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::NoAnswer => "no_answer",
            Self::Binary => "binary",
            Self::TooLarge => "too_large",
            Self::Nonsense => "nonsense",
            Self::Broken => "broken",
        }
    }
}

/// As the API's 401 says it.
const fn code_of(how: End) -> &'static str {
    match how {
        End::Superseded => "superseded",
        End::Expired => "expired",
        End::LoggedOut | End::Revoked | End::Reused => "no_session",
    }
}
