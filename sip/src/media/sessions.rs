//! The sessions of the relay's thread: sockets, state and timers.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::bridge::{Bridge, Leg, Report};
use super::leg::{Channel, looks_like_rtcp};
use super::relay::{Event, SessionId, Settings, Silence};
use super::remote::Remote;
use super::seam::Seam;
use super::socket::{Sockets, random};
use super::thread::Listener;
use super::tone::{PACKET, Player, Sound, Tables};

/// The longest packet. Voice has 172 bytes, the longest of RTCP some hundreds.
const LONGEST: usize = 1500;

/// How often sessions are looked through for silence and for handles that are gone, at least.
const ROUND: Duration = Duration::from_secs(1);

/// Packets that are dropped of one socket in a wake-up, at most. The kernel holds some 270 of voice for it.
const DROPPED: usize = 16;

/// Where a socket stands: in epoll, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    slot: usize,
    leg: Leg,
    channel: Channel,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    Dropped,
}

/// One session.
struct Slot {
    id: SessionId,
    bridge: Bridge,
    sockets: [Sockets; 2],
    players: [Option<Player>; 2],
    /// Of legs that were played something.
    seams: [Option<Seam>; 2],
    /// For how long a leg had been silent when that was last told.
    told: [Duration; 2],
    gone: Arc<AtomicBool>,
}

/// All of them.
pub(super) struct Sessions {
    settings: Settings,
    listener: Listener,
    /// Slots are used again; the keys of a session that is over are no more in epoll.
    slots: Vec<Option<Slot>>,
    empty: Vec<usize>,
    by_id: HashMap<SessionId, usize>,
    /// Those in which something is played.
    playing: Vec<usize>,
    next_round: Option<Instant>,
    tables: Tables,
    /// One byte longer than the longest packet, by which a longer one is known.
    buffer: Box<[u8; LONGEST + 1]>,
}

// === impl Key ===

impl Key {
    pub(super) fn from_bits(bits: u64) -> Self {
        Self {
            slot: usize::try_from(bits >> 2).unwrap_or(usize::MAX),
            leg: if bits & 2 == 0 { Leg::A } else { Leg::B },
            channel: if bits & 1 == 0 { Channel::Rtp } else { Channel::Rtcp },
        }
    }

    /// Another socket of the same session.
    pub(super) fn of(self, leg: Leg, channel: Channel) -> Self {
        Self { leg, channel, ..self }
    }

    pub(super) fn bits(self) -> u64 {
        (self.slot as u64) << 2 | u64::from(self.leg == Leg::B) << 1 | u64::from(self.channel == Channel::Rtcp)
    }
}

// === impl Sessions ===

impl Sessions {
    pub(super) fn new(settings: Settings, listener: Listener) -> Self {
        Self {
            settings,
            listener,
            slots: Vec::new(),
            empty: Vec::new(),
            by_id: HashMap::new(),
            playing: Vec::new(),
            next_round: None,
            tables: Tables::new(),
            buffer: Box::new([0; LONGEST + 1]),
        }
    }

    pub(super) fn open(&mut self, id: SessionId, sockets: [Sockets; 2], gone: Arc<AtomicBool>, now: Instant) -> Key {
        let bridge = Bridge::new(now);
        let slot =
            Slot { id, bridge, sockets, players: [None, None], seams: [None, None], told: [Duration::ZERO; 2], gone };
        let number = self.empty.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(place) = self.slots.get_mut(number) {
            *place = Some(slot);
        }
        self.by_id.insert(id, number);
        Key { slot: number, leg: Leg::A, channel: Channel::Rtp }
    }

    pub(super) fn close(&mut self, id: SessionId) {
        if let Some(number) = self.by_id.remove(&id)
            && let Some(place) = self.slots.get_mut(number)
        {
            *place = None;
            self.empty.push(number);
            self.playing.retain(|playing| *playing != number);
        }
    }

    pub(super) fn socket(&self, key: Key) -> Option<&UdpSocket> {
        let slot = self.slots.get(key.slot)?.as_ref()?;
        Some(key.leg.of(&slot.sockets).channel(key.channel))
    }

    fn slot_mut(&mut self, id: SessionId) -> Option<(usize, &mut Slot)> {
        let number = *self.by_id.get(&id)?;
        Some((number, self.slots.get_mut(number)?.as_mut()?))
    }

    pub(super) fn connect(&mut self, id: SessionId, leg: Leg, remote: Remote, now: Instant) {
        let learning = self.settings.learning;
        if let Some((_, slot)) = self.slot_mut(id) {
            slot.bridge.connect(leg, remote, now, learning);
            *leg.of_mut(&mut slot.told) = Duration::ZERO;
        }
    }

    pub(super) fn play(&mut self, id: SessionId, leg: Leg, sound: Option<Sound>, now: Instant) {
        let Some((number, slot)) = self.slot_mut(id) else { return };
        // Without random numbers to begin with, the stream begins with those of silence: it is our own, and to one peer.
        let player = sound.map(|sound| Player::new(sound, random().unwrap_or_default(), now));
        slot.end_playing(leg);
        let seam = leg.of(&slot.seams).as_ref();
        *leg.of_mut(&mut slot.players) = player.map(|player| player.behind(seam));
        let plays = slot.plays();
        self.playing.retain(|playing| *playing != number);
        if plays {
            self.playing.push(number);
        }
    }

    pub(super) fn report(&self, id: SessionId) -> Option<Report> {
        let slot = self.slots.get(*self.by_id.get(&id)?)?.as_ref()?;
        Some(slot.bridge.report())
    }

    /// Takes one packet of a socket that is ready, and sends it on. Of those that are dropped it takes some more: whoever
    /// floods a port shall not hold up the call that has it.
    pub(super) fn ready(&mut self, key: Key, now: Instant) {
        for _ in 0..DROPPED {
            if self.packet(key, now) != Some(Fate::Dropped) {
                return;
            }
        }
    }

    /// Takes a packet, if there is one.
    fn packet(&mut self, key: Key, now: Instant) -> Option<Fate> {
        let slot = self.slots.get_mut(key.slot)?.as_mut()?;
        let received = key.leg.of(&slot.sockets).receive(key.channel, self.buffer.as_mut_slice());
        let (length, from) = received.ok()?;
        let Some(packet) = self.buffer.get_mut(..length).filter(|_| length <= LONGEST) else {
            slot.bridge.leg_mut(key.leg).counted.unfit += 1;
            return Some(Fate::Dropped);
        };
        let onward = slot.bridge.packet(key.leg, key.channel, from, packet, now);
        if onward.locked {
            (self.listener)(Event::Locked { session: slot.id, leg: key.leg });
        }
        let Some((channel, to)) = onward.to else { return Some(Fate::Dropped) };
        let other = key.leg.other();
        if !looks_like_rtcp(packet) {
            slot.end_playing(other);
            if let Some(seam) = other.of_mut(&mut slot.seams) {
                seam.number(packet);
            }
        }
        let is_sent = other.of(&slot.sockets).send(channel, packet, to);
        slot.bridge.leg_mut(other).count(channel, is_sent);
        Some(Fate::Sent)
    }

    /// When [`Self::timers`] has something to do.
    pub(super) fn next_timer(&self, now: Instant) -> Instant {
        let slots = self.playing.iter().filter_map(|number| self.slots.get(*number)?.as_ref());
        let players = slots.flat_map(|slot| slot.players.iter().flatten().map(Player::next));
        players.chain([self.next_round.unwrap_or(now)]).min().unwrap_or(now)
    }

    /// Plays what is due, and looks for silence.
    pub(super) fn timers(&mut self, now: Instant) {
        for number in &self.playing {
            if let Some(Some(slot)) = self.slots.get_mut(*number) {
                Leg::BOTH.into_iter().for_each(|leg| slot.play(leg, &self.tables, now));
            }
        }
        if self.next_round.is_none_or(|next| next <= now) {
            self.next_round = Some(now + ROUND.min(self.settings.silence / 4));
            self.round(now);
        }
    }

    fn round(&mut self, now: Instant) {
        for slot in self.slots.iter_mut().flatten() {
            for leg in Leg::BOTH {
                if let Some(silence) = slot.silence(leg, self.settings.silence, now) {
                    (self.listener)(Event::Silent(silence));
                }
            }
        }
        let slots = &self.slots;
        self.playing.retain(|number| slots.get(*number).is_some_and(|slot| slot.as_ref().is_some_and(Slot::plays)));
        let gone = self.slots.iter().flatten().filter(|slot| slot.gone.load(Ordering::Acquire)).map(|slot| slot.id);
        for id in gone.collect::<Vec<_>>() {
            self.close(id);
        }
    }
}

// === impl Slot ===

impl Slot {
    fn plays(&self) -> bool {
        self.players.iter().any(Option::is_some)
    }

    /// What comes next goes on from what was played.
    fn end_playing(&mut self, leg: Leg) {
        if let Some(player) = leg.of_mut(&mut self.players).take() {
            *leg.of_mut(&mut self.seams) = Some(player.seam());
        }
    }

    /// Sends a leg the packet of ours that is due.
    fn play(&mut self, leg: Leg, tables: &Tables, now: Instant) {
        let Some(player) = leg.of_mut(&mut self.players).as_mut().filter(|player| player.next() <= now) else { return };
        let state = self.bridge.leg_mut(leg);
        let (Some(to), Some(format)) = (state.rtp_destination(), state.voice()) else {
            player.put_off(now);
            return;
        };
        let mut buffer = [0; PACKET];
        if let Some(packet) = player.packet(tables, format, now, &mut buffer) {
            let is_sent = leg.of(&self.sockets).send(Channel::Rtp, packet, to);
            state.count(Channel::Rtp, is_sent);
        }
    }

    /// A leg's silence, if that is to be told now.
    fn silence(&mut self, leg: Leg, limit: Duration, now: Instant) -> Option<Silence> {
        let since = self.bridge.leg(leg).silent_for(now);
        let both = self.bridge.leg(leg.other()).silent_for(now) >= limit;
        let told = leg.of_mut(&mut self.told);
        if since < *told {
            *told = Duration::ZERO;
        }
        (since >= *told + limit).then(|| {
            *told = since;
            Silence { session: self.id, leg, since, both }
        })
    }
}
