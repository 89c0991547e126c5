//! Agents' orders in the engine's words, and the engine's news of calls in the agents'.

use std::time::Duration;

use offdesk_sip::{
    User,
    engine::{self, Caller, Command, Ender, Event, LegQuality, TicketLogin},
    ring::Outcome,
};

use super::{Inner, lock};
use crate::domain::{
    Admission, CallQuality, Customer, E164, EndedBy, MediaQuality, NotReached, SipLogin, SipTicket, SoftphoneLeg,
    SoftphoneNews, SoftphoneOrder,
};

/// What the engine tells of a call.
pub(super) enum Told {
    News(SoftphoneLeg, SoftphoneNews),
    /// A sleeping phone is to be woken for it.
    Wake(SoftphoneLeg, User, engine::PushToken),
    /// It is about a binding.
    Binding(Event),
}

pub(super) fn told(event: Event) -> Told {
    let news = |call: engine::CallId, news| Told::News(SoftphoneLeg::from_bits(call.0), news);
    match event {
        Event::Rings { call } => news(call, SoftphoneNews::Rings),
        Event::Answered { call, ticket, login } => {
            let login = login.map(|TicketLogin { username, password }| SipLogin {
                username: username.into(),
                password: password.into(),
            });
            news(call, SoftphoneNews::Answered(Admission { ticket: SipTicket::new(ticket.to_string()), login }))
        }
        Event::Bridged { call } => news(call, SoftphoneNews::Bridged),
        Event::Failed { call, outcome } => news(call, SoftphoneNews::Failed(not_reached(outcome))),
        Event::Ended { call, by, quality } => {
            let quality =
                quality.map(|quality| CallQuality { phone: media(quality.phone), twilio: media(quality.twilio) });
            news(call, SoftphoneNews::Ended { by: ended_by(by), quality })
        }
        Event::Wake { call, user, token } => Told::Wake(SoftphoneLeg::from_bits(call.0), user, token),
        Event::Bound { .. } | Event::Unbound(_) => Told::Binding(event),
    }
}

const fn not_reached(outcome: Outcome) -> NotReached {
    match outcome {
        Outcome::Declined => NotReached::Declined,
        Outcome::Busy => NotReached::Busy,
        Outcome::NoAnswer => NotReached::NoAnswer,
        Outcome::Asleep => NotReached::Asleep,
        Outcome::NotPossible => NotReached::NotPossible,
        Outcome::Unreachable => NotReached::Unreachable,
    }
}

const fn ended_by(ender: Ender) -> EndedBy {
    match ender {
        Ender::Phone => EndedBy::Phone,
        Ender::Twilio => EndedBy::Twilio,
        Ender::Us => EndedBy::Us,
        Ender::Silence => EndedBy::Silence,
        Ender::NoInvite => EndedBy::NoInvite,
    }
}

const fn media(LegQuality { received, lost, jitter }: LegQuality) -> MediaQuality {
    MediaQuality { received, lost, jitter }
}

impl Inner {
    /// Passes orders on until there can be none any more.
    pub(super) async fn carry_out(&self, exchange: super::Exchange) {
        let super::Exchange { mut orders, news, .. } = exchange;
        while let Some(order) = orders.recv().await {
            let command = match order {
                SoftphoneOrder::HangUp(leg) => Command::Hangup { call: engine::CallId(leg.to_bits()) },
                SoftphoneOrder::Ring { leg, caller, ring } => match self.ring(leg, &caller, ring) {
                    Ok(command) => command,
                    Err(why) => {
                        news.tell(leg, SoftphoneNews::Failed(why)).await;
                        continue;
                    }
                },
            };
            if self.engine.send(command).await.is_err() {
                return;
            }
        }
    }

    /// The command, unless the agent has no account, or the daemon goes down.
    fn ring(&self, leg: SoftphoneLeg, caller: &Customer, ring: Duration) -> Result<Command, NotReached> {
        if self.calls.are_the_last() {
            return Err(NotReached::NotPossible);
        }
        let user = lock(&self.table).user(leg.call.agent).cloned().ok_or(NotReached::Unreachable)?;
        let number = caller.address.as_deref().filter(|address| address.parse::<E164>().is_ok());
        let caller = Caller { name: caller.name.as_deref().map(str::to_owned), number: number.map(str::to_owned) };
        Ok(Command::Ring(Box::new(engine::Ring { call: engine::CallId(leg.to_bits()), user, caller, ring })))
    }
}
