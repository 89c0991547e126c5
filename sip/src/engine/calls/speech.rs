//! The audio of one call: what each side was told of the other, and what the relay has to know of it.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use super::relay::{MediaRelay, MediaSession};
use crate::{
    bridge::{Rewrite, Role, Side},
    engine::Media,
    leg::Random,
    media::{Leg, MediaError, Reach, Remote, SessionId, Sound},
    message::Code,
    sdp::{Audio, Description, Direction, Origin, Place, SdpError, Voice},
};

/// What phones are offered when it is not known yet who will speak to them.
const VOICES: [Voice; 2] = [Voice::Pcmu, Voice::Pcma];

/// A port that nothing is sent to: the description says that nobody is to send (RFC 863).
const DISCARD: u16 = 9;

pub(super) struct Speech {
    /// None: the two sides are to find each other.
    relayed: Option<Relayed>,
    sides: [Party; 2],
}

struct Relayed {
    session: Box<dyn MediaSession>,
    /// Our address as peers reach it.
    advertised: IpAddr,
}

/// One side, as it was told of us and as it told of itself.
struct Party {
    /// Of the next description for it.
    origin: Origin,
    reach: Reach,
    /// What it was told last, and agreed to.
    said: Option<Description>,
    /// What it said of itself then.
    theirs: Option<Audio>,
    /// What it was offered, and has not answered.
    offered: Option<Description>,
    /// What it offers, while the other side is asked.
    asks: Option<Description>,
}

/// How an offer that comes once the other side is up can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// At once.
    Now(Bytes),
    /// The other side has to be asked first.
    Ask,
    Refuse(Code),
}

impl Speech {
    pub(super) fn open(
        media: Media,
        relay: Option<&mut (dyn MediaRelay + 'static)>,
        random: &mut dyn Random,
    ) -> Result<Self, MediaError> {
        let relayed = match media {
            Media::Direct => None,
            Media::Relay { listen, advertised, .. } => {
                let session = relay.ok_or(MediaError::Stopped)?.open([listen; 2])?;
                Some(Relayed { session, advertised })
            }
        };
        let mut party = || Party {
            origin: Origin::new(random.bits()),
            reach: Reach::AsDescribed,
            said: None,
            theirs: None,
            offered: None,
            asks: None,
        };
        Ok(Self { relayed, sides: [party(), party()] })
    }

    pub(super) fn session(&self) -> Option<SessionId> {
        self.relayed.as_ref().map(|relayed| relayed.session.id())
    }

    /// A side's media may come from behind a NAT, most likely from where its messages come from.
    pub(super) fn may_be_behind_nat(&mut self, side: Side, signalled: IpAddr) {
        self.party(side).reach = Reach::MaybeNat { signalled: Some(signalled) };
    }

    /// An offer of our own. Where the sides are to find each other, it says that there is nobody yet (RFC 3725 §4.4).
    pub(super) fn offer(&mut self, to: Side) -> Bytes {
        let mut offer = Description::offer(self.place(to), &VOICES);
        if self.relayed.is_none() {
            offer.audio.direction = Direction::Inactive;
        }
        // Of what the other side has agreed to, if it has.
        if let Some(theirs) = &self.get(to.other()).theirs {
            offer.audio.formats.retain(|format| theirs.payload_type(format.codec).is_some());
        }
        let text = self.write(to, &offer);
        self.party(to).offered = Some(offer);
        text
    }

    /// Answers an offer for a side whose other has answered already.
    pub(super) fn answer(&mut self, from: Side, sdp: &Bytes) -> Answer {
        let Some(theirs) = self.party(from.other()).theirs.clone() else { return Answer::Ask };
        let offer = match Description::parse(sdp) {
            Ok(offer) => offer,
            Err(error) => return Answer::Refuse(code_of(error)),
        };
        match offer.answered(&theirs, self.place(from)) {
            Ok(answer) => match self.agree(from, &offer, answer) {
                Ok(text) => Answer::Now(text),
                Err(code) => Answer::Refuse(code),
            },
            Err(_) => Answer::Ask,
        }
    }

    /// Whether a side has agreed to a voice that the other one does not have, and may send it: nobody would hear it.
    pub(super) fn is_to_be_narrowed(&self, side: Side) -> bool {
        let (Some(said), Some(theirs)) = (&self.get(side).said, &self.get(side).theirs) else { return false };
        let Some(other) = &self.get(side.other()).theirs else { return false };
        let mut voices = theirs.formats.iter().map(|format| format.codec).filter(|codec| codec.is_voice());
        voices.any(|voice| said.audio.payload_type(voice).is_some() && other.payload_type(voice).is_none())
    }

    /// A side's offer came to nothing.
    pub(super) fn refused(&mut self, side: Side) {
        self.party(side).asks = None;
    }

    /// A side has not taken what it was offered, be it the other's offer or our own.
    pub(super) fn not_taken(&mut self, side: Side) {
        self.party(side).offered = None;
    }

    /// What a side hears until the other one is there.
    pub(super) fn play(&self, to: Side, sound: Sound) {
        if let Some(relayed) = &self.relayed {
            relayed.session.play(leg(to), sound);
        }
    }

    /// False: there is nothing to ask.
    pub(super) fn ask_report(&self) -> bool {
        self.relayed.as_ref().map(|relayed| relayed.session.ask_report()).is_some()
    }

    fn party(&mut self, side: Side) -> &mut Party {
        let [caller, callee] = &mut self.sides;
        match side {
            Side::Caller => caller,
            Side::Callee => callee,
        }
    }

    const fn get(&self, side: Side) -> &Party {
        let [caller, callee] = &self.sides;
        match side {
            Side::Caller => caller,
            Side::Callee => callee,
        }
    }

    /// Where a side's media are taken.
    fn place(&self, side: Side) -> Place {
        match &self.relayed {
            Some(Relayed { session, advertised }) => Place { address: *advertised, port: session.port(leg(side)) },
            None => Place { address: Ipv4Addr::UNSPECIFIED.into(), port: DISCARD },
        }
    }

    /// As the next description for a side.
    fn write(&mut self, to: Side, description: &Description) -> Bytes {
        let party = self.party(to);
        let text = description.write(party.origin).into();
        party.origin = party.origin.next();
        text
    }

    /// A side's offer and our answer to it hold from now on.
    fn agree(&mut self, side: Side, offer: &Description, answer: Description) -> Result<Bytes, Code> {
        self.connect(side, offer, &answer)?;
        let text = self.write(side, &answer);
        let party = self.party(side);
        (party.said, party.theirs) = (Some(answer), Some(offer.audio.clone()));
        Ok(text)
    }

    fn connect(&mut self, side: Side, theirs: &Description, ours: &Description) -> Result<(), Code> {
        let remote = Remote::new(&theirs.audio, &ours.audio, self.party(side).reach);
        let Some(relayed) = &self.relayed else { return Ok(()) };
        relayed.session.connect(leg(side), remote).map_err(|_| Code::SERVICE_UNAVAILABLE)
    }

    fn pass_offer(&mut self, from: Side, sdp: &Bytes) -> Result<Bytes, Code> {
        let offer = Description::parse(sdp).map_err(code_of)?;
        let other = from.other();
        let passed = offer.relayed(self.place(other));
        let text = self.write(other, &passed);
        self.party(other).offered = Some(passed);
        self.party(from).asks = Some(offer);
        Ok(text)
    }

    /// What a side answered. Empty: the other side has asked for nothing, and is told nothing.
    fn pass_answer(&mut self, from: Side, sdp: &Bytes) -> Result<Bytes, Code> {
        let answer = Description::parse(sdp).map_err(code_of)?;
        let party = self.party(from);
        let ours = party.offered.take().or_else(|| party.said.take()).ok_or(Code::SERVER_ERROR)?;
        self.answered(from, &answer, ours)?;
        let Some(offer) = self.party(from.other()).asks.take() else { return Ok(Bytes::new()) };
        let other = from.other();
        let passed = offer.answered(&answer.audio, self.place(other)).map_err(code_of)?;
        self.agree(other, &offer, passed)
    }

    /// What a side answered to what it was told last. An offer that is on its way to it is still to be answered.
    fn take_again(&mut self, from: Side, sdp: &Bytes) -> Result<Bytes, Code> {
        let answer = Description::parse(sdp).map_err(code_of)?;
        let party = self.party(from);
        let ours = party.said.take().or_else(|| party.offered.take()).ok_or(Code::SERVER_ERROR)?;
        self.answered(from, &answer, ours).map(|()| Bytes::new())
    }

    /// What a side was told of us, and its answer, hold from now on.
    fn answered(&mut self, side: Side, answer: &Description, ours: Description) -> Result<(), Code> {
        let connected = self.connect(side, answer, &ours);
        let party = self.party(side);
        (party.said, party.theirs) = (Some(ours), Some(answer.audio.clone()));
        connected
    }
}

impl Rewrite for Speech {
    fn rewrite(&mut self, from: Side, role: Role, sdp: &Bytes) -> Result<Bytes, Code> {
        match role {
            _ if self.relayed.is_none() => Ok(sdp.clone()),
            Role::Offer => self.pass_offer(from, sdp),
            Role::Answer => self.pass_answer(from, sdp),
            Role::Again => self.take_again(from, sdp),
        }
    }
}

/// The caller's leg of a session is A.
const fn leg(side: Side) -> Leg {
    match side {
        Side::Caller => Leg::A,
        Side::Callee => Leg::B,
    }
}

const fn code_of(error: SdpError) -> Code {
    if error.is_unacceptable() { Code::NOT_ACCEPTABLE_HERE } else { Code::BAD_REQUEST }
}
