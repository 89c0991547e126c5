//! The sound of one call: what the customer says goes out every 20 ms, what comes in is listened to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use offdesk_sip::sdp::{Audio, Description, Origin, Place, Voice};
use tokio::{
    net::UdpSocket,
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::sound::{Ear, Heard, PACKET, Tone};
use crate::{
    engine::Engine,
    world::{sid::Sid, sip::SoundView},
};

/// The pitch that customers speak with.
const CUSTOMER_HZ: u16 = 660;
/// A packet's sound.
const PACE: Duration = Duration::from_millis(20);
/// How many ports are tried for a pair that is free.
const TRIES: usize = 64;
/// RTP's header (RFC 3550 §5.1) without its optional parts.
const HEADER: usize = 12;
/// G.711 µ-law's payload type (RFC 3551 §6).
const PCMU: u8 = 0;

/// The two ports of a call, and its descriptions.
#[derive(Debug)]
pub(super) struct Media {
    rtp: Arc<UdpSocket>,
    /// RTCP is let in, so that nobody hears that nobody is there; it is not looked at.
    _rtcp: UdpSocket,
    place: Place,
    origin: Origin,
    said: String,
    /// Where the other side takes RTP, if it takes any.
    remote: watch::Sender<Option<SocketAddr>>,
}

impl Media {
    /// Takes an even port and the one above it.
    pub(super) async fn bind(ip: IpAddr, id: u64) -> io::Result<Self> {
        for _ in 0..TRIES {
            let rtp = UdpSocket::bind((ip, 0)).await?;
            let port = rtp.local_addr()?.port();
            if port % 2 == 1 {
                continue;
            }
            if let Ok(rtcp) = UdpSocket::bind((ip, port + 1)).await {
                let (place, origin) = (Place { address: ip, port }, Origin::new(id));
                let said = Description::offer(place, &[Voice::Pcmu]).write(origin);
                let remote = watch::Sender::new(None);
                return Ok(Self { rtp: Arc::new(rtp), _rtcp: rtcp, place, origin, said, remote });
            }
        }
        Err(io::Error::from(io::ErrorKind::AddrInUse))
    }

    /// What is offered.
    pub(super) fn offer(&self) -> String {
        self.said.clone()
    }

    /// The answer to the offer has come. False: it is none that can be used.
    pub(super) fn answered(&self, sdp: &[u8]) -> bool {
        let audio = Description::parse(sdp).ok().map(|answer| answer.audio);
        let fits = audio.as_ref().is_some_and(|audio| audio.voice().is_some_and(|voice| voice.payload_type == PCMU));
        if let Some(audio) = audio.filter(|_| fits) {
            self.send_to(&audio);
        }
        fits
    }

    /// The other side offers another session. None: it cannot be.
    pub(super) fn offered(&mut self, sdp: &[u8]) -> Option<String> {
        let offer = Description::parse(sdp).ok()?;
        let own = Description::offer(self.place, &[Voice::Pcmu]);
        let answer = offer.answered(&own.audio, self.place).ok()?;
        self.send_to(&offer.audio);
        let next = self.origin.next();
        if answer.write(self.origin) != self.said {
            self.origin = next;
        }
        self.said = answer.write(self.origin);
        Some(self.said.clone())
    }

    fn send_to(&self, theirs: &Audio) {
        self.remote.send_replace(theirs.rtp().filter(|_| theirs.direction.receives()));
    }

    /// Speaks and listens until the call is over and this is dropped.
    pub(super) fn run(&self, engine: Arc<Engine>, call: Sid, ssrc: u32) {
        let line = Line {
            rtp: Arc::clone(&self.rtp),
            remote: self.remote.subscribe(),
            tone: Tone::new(CUSTOMER_HZ),
            ear: Ear::default(),
            ssrc,
            sent: 0,
            received: 0,
            still: 0,
            engine,
            call,
        };
        tokio::spawn(line.run());
    }
}

struct Line {
    rtp: Arc<UdpSocket>,
    remote: watch::Receiver<Option<SocketAddr>>,
    tone: Tone,
    ear: Ear,
    ssrc: u32,
    sent: u64,
    received: u64,
    /// How long nothing has come, in packets' times.
    still: u32,
    engine: Arc<Engine>,
    call: Sid,
}

/// After so many packets' times nothing is heard any more.
const STILL: u32 = 10;

impl Line {
    async fn run(mut self) {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let rtp = Arc::clone(&self.rtp);
        let mut buffer = [0; 2048];
        loop {
            tokio::select! {
                _ = pace.tick() => {
                    // The call is over.
                    if self.remote.has_changed().is_err() {
                        return;
                    }
                    self.speak().await;
                    self.still = self.still.saturating_add(1);
                    if self.still == STILL {
                        self.tell(Heard { hz: None, level: 0 });
                    }
                }
                Ok(length) = rtp.recv(&mut buffer) => self.listen(buffer.get(..length).unwrap_or_default()),
            }
        }
    }

    async fn speak(&mut self) {
        let Some(to) = *self.remote.borrow_and_update() else { return };
        let mut packet = Vec::with_capacity(HEADER + PACKET);
        let [high, low] = self.sent.to_be_bytes().last_chunk::<2>().copied().unwrap_or_default();
        let marked = if self.sent == 0 { 0x80 } else { 0 };
        packet.extend([0x80, marked | PCMU, high, low]);
        // A timestamp counts samples, and wraps.
        let timestamp = (self.sent * PACKET as u64).to_be_bytes();
        packet.extend(timestamp.last_chunk::<4>().copied().unwrap_or_default());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(self.tone.packet());
        self.sent += 1;
        // What does not get there is lost, as everywhere.
        let _lost = self.rtp.send_to(&packet, to).await;
    }

    fn listen(&mut self, packet: &[u8]) {
        let (Some(&[first, second]), Some(payload)) = (packet.first_chunk::<2>(), packet.get(HEADER..)) else { return };
        if first & 0xc0 != 0x80 || second & 0x7f != PCMU {
            return;
        }
        (self.received, self.still) = (self.received + 1, 0);
        if let Some(heard) = self.ear.hear(payload) {
            self.tell(heard);
        }
    }

    fn tell(&self, heard: Heard) {
        let says_hz = if self.remote.borrow().is_some() { u32::from(self.tone.hz()) } else { 0 };
        let sound = SoundView {
            says_hz,
            hears_hz: heard.hz.map(u32::from),
            level: heard.level,
            sent: self.sent,
            received: self.received,
        };
        self.engine.act(|world| world.sip_sounds(&self.call, sound));
    }
}
