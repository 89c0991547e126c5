//! What the rest of the process holds of the relay: the handle of the thread, and one of each session.

use std::fmt;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::bridge::{Leg, Report};
use super::error::MediaError;
use super::ports::{PortPool, PortRange};
use super::remote::Remote;
use super::socket::Sockets;
use super::thread::{self, Command};
use super::tone::Sound;

/// Protects memory from commands that come faster than they are carried out: at a call a millisecond, a second of them.
const COMMANDS: usize = 1024;

/// How the relay works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub ports: PortRange,
    /// How long after a description the source of a leg behind a NAT may be learned.
    pub learning: Duration,
    /// How long a leg may send nothing, where it should, before that is told.
    pub silence: Duration,
    /// The time.
    pub clock: fn() -> Instant,
}

/// Names a session among all of this relay, never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

/// What the relay tells of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The leg has locked on its peer's address and stream; again after a new description or another stream.
    Locked { session: SessionId, leg: Leg },
    /// Nothing was heard of the leg's peer for so long. Told again each time that [`Settings::silence`] has passed once more,
    /// so that one that was not heard of does no harm.
    Silent(Silence),
}

/// A leg of which nothing is heard, neither media nor RTCP, although it should send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    pub session: SessionId,
    pub leg: Leg,
    pub since: Duration,
    /// Nothing is heard of the other leg either, for as long as the relay waits.
    pub both: bool,
}

/// The relay. Its thread ends when this is dropped, and all sessions with it.
pub struct Relay {
    link: Arc<Link>,
    pool: Arc<Mutex<PortPool>>,
    sessions: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

/// Two legs with their ports. Dropping it ends the session.
pub struct Session {
    id: SessionId,
    ports: [u16; 2],
    /// Set when this is dropped, in case the queue has no room for the command that says so.
    gone: Arc<AtomicBool>,
    link: Arc<Link>,
}

/// The way to the thread.
pub(super) struct Link {
    commands: SyncSender<Command>,
    wake: OwnedFd,
    stop: AtomicBool,
}

// === impl Settings ===

impl Settings {
    /// Three seconds to learn, thirty of silence.
    pub const fn new(ports: PortRange, clock: fn() -> Instant) -> Self {
        Self { ports, learning: Duration::from_secs(3), silence: Duration::from_secs(30), clock }
    }
}

// === impl SessionId ===

#[cfg(test)]
impl SessionId {
    pub(crate) const fn of_test(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Relay ===

impl Relay {
    /// Starts the thread. `listener` is called on it, and must not block.
    ///
    /// # Errors
    /// [`MediaError::Socket`] if the system gives no thread or no file descriptor.
    pub fn start(settings: Settings, listener: impl FnMut(Event) + Send + 'static) -> Result<Self, MediaError> {
        let (commands, queue) = sync_channel(COMMANDS);
        let wake = thread::alarm()?;
        let link = Arc::new(Link { commands, wake, stop: AtomicBool::new(false) });
        let thread = thread::start(settings, link.clone(), queue, Box::new(listener))?;
        let pool = Arc::new(Mutex::new(PortPool::new(settings.ports)));
        Ok(Self { link, pool, sessions: AtomicU64::new(0), thread: Some(thread) })
    }

    /// Takes two pairs of ports, that of leg A at the first local address and that of leg B at the second. An address takes
    /// peers of its own family alone. Does not wait for the thread.
    ///
    /// # Errors
    /// [`MediaError::NoPorts`], [`MediaError::Busy`], [`MediaError::Stopped`], or [`MediaError::Socket`] if the process has
    /// too few file descriptors (a session takes four) or no such address.
    pub fn open(&self, addresses: [IpAddr; 2]) -> Result<Session, MediaError> {
        let [a, b] = addresses;
        let sockets = [Sockets::bind(&self.pool, a)?, Sockets::bind(&self.pool, b)?];
        let ports = sockets.each_ref().map(Sockets::port);
        let id = SessionId(self.sessions.fetch_add(1, Ordering::Relaxed));
        let gone = Arc::new(AtomicBool::new(false));
        self.link.send(Command::Open { session: id, sockets, gone: gone.clone() })?;
        Ok(Session { id, ports, gone, link: self.link.clone() })
    }

    /// Pairs of ports that no session has. A session takes two.
    pub fn free_ports(&self) -> usize {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).free()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.link.stop.store(true, Ordering::Release);
        self.link.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("free_ports", &self.free_ports()).finish_non_exhaustive()
    }
}

// === impl Session ===

impl Session {
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The even port that a leg takes RTP at, for its description; RTCP is taken there too, and at the port above.
    pub fn port(&self, leg: Leg) -> u16 {
        *leg.of(&self.ports)
    }

    /// Tells what a leg's descriptions agreed on. Another than before opens a new window to learn the peer's source.
    ///
    /// # Errors
    /// [`MediaError::Busy`] and [`MediaError::Stopped`].
    pub fn connect(&self, leg: Leg, remote: Remote) -> Result<(), MediaError> {
        self.link.send(Command::Connect { session: self.id, leg, remote: Box::new(remote) })
    }

    /// Plays to a leg until media of the other one goes to it. None: stops.
    ///
    /// # Errors
    /// [`MediaError::Busy`] and [`MediaError::Stopped`].
    pub fn play(&self, leg: Leg, sound: Option<Sound>) -> Result<(), MediaError> {
        self.link.send(Command::Play { session: self.id, leg, sound })
    }

    /// Calls `reply` on the relay's thread with what was counted so far. It must not block.
    ///
    /// # Errors
    /// [`MediaError::Busy`] and [`MediaError::Stopped`].
    pub fn report(&self, reply: impl FnOnce(Report) + Send + 'static) -> Result<(), MediaError> {
        self.link.send(Command::Report { session: self.id, reply: Box::new(reply) })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Release);
        // Without room in the queue, the thread finds the mark within a second.
        let _ = self.link.send(Command::Close { session: self.id });
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("ports", &self.ports).finish_non_exhaustive()
    }
}

// === impl Link ===

impl Link {
    fn send(&self, command: Command) -> Result<(), MediaError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => MediaError::Busy,
            TrySendError::Disconnected(_) => MediaError::Stopped,
        })?;
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        // Only a count that is full refuses one more, and then the thread is awake.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    pub(super) fn alarm(&self) -> &OwnedFd {
        &self.wake
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}
