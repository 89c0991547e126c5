//! The media relay, as the core has it, and what it tells on the way back.

use std::{net::IpAddr, time::Instant};

use tokio::sync::mpsc;

use crate::{
    engine::{CallSettings, Media, MediaNews, MediaRelay, MediaSession},
    media::{self, Leg, MediaError, Relay, Remote, SessionId, Sound},
};

/// What the relay has told and nobody has heard yet. More is let go of, which does no harm: see [`MediaNews`].
const NEWS: usize = 1024;

struct Relaying {
    relay: Relay,
    tell: mpsc::Sender<MediaNews>,
}

struct Session {
    session: media::Session,
    tell: mpsc::Sender<MediaNews>,
}

/// The relay that the settings want, and where it tells.
pub(super) struct Started {
    pub(super) relay: Option<Box<dyn MediaRelay>>,
    pub(super) news: mpsc::Receiver<MediaNews>,
}

pub(super) fn start(settings: &CallSettings, clock: fn() -> Instant) -> Result<Started, MediaError> {
    let (tell, news) = mpsc::channel(NEWS);
    let Media::Relay { ports, .. } = settings.media else { return Ok(Started { relay: None, news }) };
    let settings = media::Settings { silence: settings.call_silence, ..media::Settings::new(ports, clock) };
    let own = tell.clone();
    let relay = Relay::start(settings, move |event| match event {
        media::Event::Silent(silence) => {
            let _ = own.try_send(MediaNews::Silent(silence));
        }
        media::Event::Locked { .. } => {}
    })?;
    Ok(Started { relay: Some(Box::new(Relaying { relay, tell })), news })
}

impl MediaRelay for Relaying {
    fn open(&mut self, addresses: [IpAddr; 2]) -> Result<Box<dyn MediaSession>, MediaError> {
        let session = self.relay.open(addresses)?;
        Ok(Box::new(Session { session, tell: self.tell.clone() }))
    }
}

impl MediaSession for Session {
    fn id(&self) -> SessionId {
        self.session.id()
    }

    fn port(&self, leg: Leg) -> u16 {
        self.session.port(leg)
    }

    fn connect(&self, leg: Leg, remote: Remote) -> Result<(), MediaError> {
        self.session.connect(leg, remote)
    }

    fn play(&self, leg: Leg, sound: Sound) {
        // Without it a call is put through in silence.
        let _ = self.session.play(leg, Some(sound));
    }

    fn ask_report(&self) {
        let (id, tell) = (self.session.id(), self.tell.clone());
        let reply = move |report| {
            let _ = tell.try_send(MediaNews::Report(id, report));
        };
        let _ = self.session.report(reply);
    }
}
