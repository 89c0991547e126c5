//! The relay's thread: waits for sockets, commands and timers, and moves packets.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll};

use super::bridge::{Leg, Report};
use super::leg::Channel;
use super::relay::{Event, Link, SessionId, Settings};
use super::remote::Remote;
use super::sessions::{Key, Sessions};
use super::socket::Sockets;
use super::tone::Sound;

/// Sockets that are taken care of in one wake-up.
const READY: usize = 512;

/// Under load the thread wakes up so often and no oftener; a packet waits so long at most. Voice has 20 ms a packet.
const GATHER: Duration = Duration::from_millis(2);

/// Tells of the thread's alarm among the sockets' keys.
const ALARM: u64 = u64::MAX;

pub(super) type Listener = Box<dyn FnMut(Event) + Send>;

/// What the thread is told to do.
pub(super) enum Command {
    Open { session: SessionId, sockets: [Sockets; 2], gone: Arc<AtomicBool> },
    Connect { session: SessionId, leg: Leg, remote: Box<Remote> },
    Play { session: SessionId, leg: Leg, sound: Option<Sound> },
    Report { session: SessionId, reply: Box<dyn FnOnce(Report) + Send> },
    Close { session: SessionId },
}

/// What wakes the thread up for commands.
pub(super) fn alarm() -> io::Result<OwnedFd> {
    Ok(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

pub(super) fn start(
    settings: Settings,
    link: Arc<Link>,
    commands: Receiver<Command>,
    listener: Listener,
) -> io::Result<JoinHandle<()>> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, link.alarm(), epoll::EventData::new_u64(ALARM), epoll::EventFlags::IN)?;
    let now = (settings.clock)();
    let sessions = Sessions::new(settings, listener);
    let worker = Worker { settings, link, commands, epoll, sessions, woken: now };
    std::thread::Builder::new().name("media".to_owned()).spawn(move || worker.run())
}

struct Worker {
    settings: Settings,
    link: Arc<Link>,
    commands: Receiver<Command>,
    epoll: OwnedFd,
    sessions: Sessions,
    /// When it last woke up.
    woken: Instant,
}

// === impl Worker ===

impl Worker {
    fn run(mut self) {
        let mut ready = Vec::with_capacity(READY);
        let mut now = self.woken;
        while !self.link.is_stopped() {
            ready.clear();
            let wait = self.sessions.next_timer(now).saturating_duration_since(now);
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&timespec(wait))) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                // The arguments are sound, so that this does not come; the thread ends rather than spin.
                Err(_) => return,
            }
            now = (self.settings.clock)();
            let in_a_row = now.saturating_duration_since(self.woken) < GATHER;
            self.woken = now;
            self.take_care(&ready, now);
            self.sessions.timers(now);
            if in_a_row {
                self.gather();
            }
        }
    }

    fn take_care(&mut self, ready: &[epoll::Event], now: Instant) {
        let mut commanded = false;
        for event in ready {
            match event.data.u64() {
                ALARM => commanded = true,
                key => self.sessions.ready(Key::from_bits(key), now),
            }
        }
        // Behind the packets: a command may end what they came for.
        if commanded {
            let _ = rustix::io::read(self.link.alarm(), &mut [0_u8; 8]);
            self.commands(now);
        }
    }

    fn commands(&mut self, now: Instant) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.carry_out(command, now),
                // Nobody holds a handle any more: `stop` is set.
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn carry_out(&mut self, command: Command, now: Instant) {
        match command {
            Command::Open { session, sockets, gone } => {
                // Whoever opened it has already given up, or epoll has no memory: its sockets are closed.
                if !gone.load(Ordering::Acquire) {
                    let key = self.sessions.open(session, sockets, gone, now);
                    if self.watch(key).is_err() {
                        self.sessions.close(session);
                    }
                }
            }
            Command::Connect { session, leg, remote } => self.sessions.connect(session, leg, *remote, now),
            Command::Play { session, leg, sound } => self.sessions.play(session, leg, sound, now),
            Command::Report { session, reply } => {
                if let Some(report) = self.sessions.report(session) {
                    reply(report);
                }
            }
            Command::Close { session } => self.sessions.close(session),
        }
    }

    /// Watches all sockets of a session; a socket that is closed is watched no more.
    fn watch(&self, slot: Key) -> io::Result<()> {
        for leg in Leg::BOTH {
            for channel in [Channel::Rtp, Channel::Rtcp] {
                let key = slot.of(leg, channel);
                if let Some(socket) = self.sessions.socket(key) {
                    let data = epoll::EventData::new_u64(key.bits());
                    epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN)?;
                }
            }
        }
        Ok(())
    }

    /// Lets packets gather until this wake-up is two milliseconds old, unless there is a command.
    fn gather(&self) {
        let spent = (self.settings.clock)().saturating_duration_since(self.woken);
        if let Some(left) = GATHER.checked_sub(spent) {
            let mut alarm = [PollFd::new(self.link.alarm(), PollFlags::IN)];
            let _ = rustix::event::poll(&mut alarm, Some(&timespec(left)));
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}
