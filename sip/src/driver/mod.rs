//! The engine on its own thread: sockets, time and the channels to its owner. Connections, with their handshakes, have another
//! thread, so that none of them makes datagrams wait. This is the only part of the crate that knows tokio.

mod census;
mod listener;
mod orders;
mod relay;
mod run;
mod stream;
mod tls;
mod udp;

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{mpsc, watch};

use self::run::Sockets;
pub use self::{
    census::ConnectionLimits,
    stream::Patience,
    tls::{Certificate, CertificateError},
};
use crate::{
    engine::{Command, Core, Counters, Event, Now, Settings},
    media::MediaError,
    transport::Transport,
};

/// Commands that the engine has not heard yet: whoever gives one more waits.
const COMMANDS: usize = 1024;
/// Batches of events that nobody has taken yet: more gather in the engine, one a binding.
const EVENTS: usize = 16;

/// Where to listen, and by what.
#[derive(Debug)]
pub struct Listening {
    pub udp: Option<SocketAddr>,
    pub tcp: Option<SocketAddr>,
    pub tls: Option<(SocketAddr, Certificate)>,
    pub connections: ConnectionLimits,
    pub patience: Patience,
}

/// The addresses that were bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    pub udp: Option<SocketAddr>,
    pub tcp: Option<SocketAddr>,
    pub tls: Option<SocketAddr>,
}

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{transport} cannot listen on {address}: {source}")]
    Bind { transport: Transport, address: SocketAddr, source: io::Error },
    #[error("the engine's threads cannot be started: {0}")]
    Thread(io::Error),
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// The engine has ended, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SIP engine has ended")]
pub struct Gone;

/// The way to a running engine. It ends at [`Command::Stop`], or once all clones of this are dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    certificate: Option<watch::Sender<Certificate>>,
    counters: Arc<Counters>,
}

/// A running engine.
#[derive(Debug)]
pub struct Running {
    pub handle: Handle,
    /// What it tells, in batches; after the last one it has ended.
    pub events: mpsc::Receiver<Vec<Event>>,
    pub bound: Bound,
    /// Why it has ended, if not because it was told to.
    pub thread: JoinHandle<io::Result<()>>,
}

impl Handle {
    /// Waits while the engine has too many commands before it.
    pub async fn send(&self, command: Command) -> Result<(), Gone> {
        self.commands.send(command).await.map_err(|_| Gone)
    }

    /// TLS connections that begin from now on get this certificate; those that are there go on.
    pub fn set_certificate(&self, certificate: Certificate) {
        if let Some(current) = &self.certificate {
            current.send_replace(certificate);
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// Binds the ports and starts the engine. `key` is random: nonces are made with it. `first` is done before anything that
/// comes in is looked at.
pub fn start(
    mut settings: Settings,
    listening: Listening,
    key: [u8; 32],
    first: Vec<Command>,
) -> Result<Running, StartError> {
    let Listening { udp, tcp, tls, connections, patience } = listening;
    let udp = udp.map(|at| bind(Transport::Udp, at, UdpSocket::bind, UdpSocket::local_addr)).transpose()?;
    let listen = |transport, at| bind(transport, at, TcpListener::bind, TcpListener::local_addr);
    let tcp = tcp.map(|at| listen(Transport::Tcp, at)).transpose()?;
    let (tls, certificate) = match tls {
        Some((at, certificate)) => (Some(listen(Transport::Tls, at)?), Some(watch::channel(certificate))),
        None => (None, None),
    };
    let bound = Bound { udp: address(&udp), tcp: address(&tcp), tls: address(&tls) };
    let (certificate, current) = certificate.unzip();
    let (commands, commanded) = mpsc::channel(COMMANDS);
    let (tell, events) = mpsc::channel(EVENTS);
    let counters = Arc::new(Counters::default());
    find_ports(&mut settings.calls.here.ports, bound);
    let relay::Started { relay, news: media } = relay::start(&settings.calls, instant)?;
    let handle = Handle { commands, certificate, counters: counters.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let streams = streams().map_err(StartError::Thread)?;
    let sockets = Sockets {
        udp: udp.map(|(socket, _)| socket),
        tcp: tcp.map(|(socket, _)| socket),
        tls: tls.map(|(socket, _)| socket).zip(current),
        connections,
        patience,
        abuse: settings.abuse,
        trusted: settings.calls.twilio_networks.clone(),
        counters: counters.clone(),
        streams: streams.handle().clone(),
        media,
    };
    let running = move || {
        let clock = Clock::start();
        let mut core = Core::new(settings, &key, relay, counters, clock.now());
        first.into_iter().for_each(|command| core.command(command, clock.now()));
        let ended = runtime.block_on(run::run(core, clock, sockets, commanded, tell));
        streams.shutdown_background();
        ended
    };
    let thread = thread::Builder::new().name("sip".into()).spawn(running).map_err(StartError::Thread)?;
    Ok(Running { handle, events, bound, thread })
}

/// Peers find us at the ports that were bound, where they are not told otherwise.
fn find_ports(ports: &mut [u16; 3], bound: Bound) {
    let bound = [bound.udp, bound.tcp, bound.tls];
    for (port, bound) in ports.iter_mut().zip(bound).filter(|(port, _)| **port == 0) {
        *port = bound.map_or(0, |at| at.port());
    }
}

/// What connections run on: one thread.
fn streams() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("sip-streams").enable_all().build()
}

fn bind<S>(
    transport: Transport,
    address: SocketAddr,
    bind: impl FnOnce(SocketAddr) -> io::Result<S>,
    local: impl FnOnce(&S) -> io::Result<SocketAddr>,
) -> Result<(S, SocketAddr), StartError> {
    let bound = bind(address).and_then(|socket| local(&socket).map(|at| (socket, at)));
    bound.map_err(|source| StartError::Bind { transport, address, source })
}

fn address<S>(bound: &Option<(S, SocketAddr)>) -> Option<SocketAddr> {
    bound.as_ref().map(|(_, address)| *address)
}

#[allow(clippy::disallowed_methods, reason = "the driver is where the engine's time comes from")]
fn instant() -> Instant {
    Instant::now()
}

/// The machine's time; the wall clock is read once, and goes on with the monotonic one.
#[derive(Clone, Copy, Debug)]
struct Clock {
    started: Instant,
    wall: Duration,
}

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "the driver is where the engine's time comes from")]
    fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: instant(), wall }
    }

    fn now(&self) -> Now {
        let instant = instant();
        Now { instant, unix: self.wall + (instant - self.started) }
    }
}
