//! The one loop that everything goes through.

use std::{collections::HashMap, io, net, sync::Arc, time::Instant};

use bytes::Bytes;
use ipnet::IpNet;
use tokio::{
    runtime,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Sleep, sleep_until},
};

use super::{
    Clock,
    census::{Census, ConnectionLimits},
    listener::{Kit, Listener},
    orders::Orders,
    stream::{Heard, Patience},
    tls::Certificate,
    udp::Udp,
};
use crate::{
    abuse,
    engine::{Command, Core, Counters, Event, MediaNews, Output},
    transaction::TransactionId,
    transport::{ConnectionId, Flow},
};

/// What connections have said and nobody has heard yet: they wait, and with them their senders.
const HEARD: usize = 256;
/// Of these at most in one go.
const IN_ONE_GO: usize = 64;
/// Events in one batch.
const BATCH: usize = 512;
/// Nothing to wait for: far enough away.
const LONG: std::time::Duration = std::time::Duration::from_secs(3600);

/// How long peers have to answer that their calls are over, once the engine is told to end.
const ENDING: std::time::Duration = std::time::Duration::from_secs(1);

/// The bound sockets.
pub(super) struct Sockets {
    pub(super) udp: Option<net::UdpSocket>,
    pub(super) tcp: Option<net::TcpListener>,
    pub(super) tls: Option<(net::TcpListener, watch::Receiver<Certificate>)>,
    pub(super) connections: ConnectionLimits,
    pub(super) patience: Patience,
    pub(super) abuse: abuse::Limits,
    /// Networks whose connections are no strangers'.
    pub(super) trusted: Vec<IpNet>,
    pub(super) counters: Arc<Counters>,
    /// What connections and their handshakes run on: they take no time of the engine's.
    pub(super) streams: runtime::Handle,
    /// What the relay tells.
    pub(super) media: mpsc::Receiver<MediaNews>,
}

/// Runs until nobody is left to give commands.
pub(super) async fn run(
    core: Core,
    clock: Clock,
    sockets: Sockets,
    mut commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Vec<Event>>,
) -> io::Result<()> {
    let (hear, mut heard) = mpsc::channel(HEARD);
    let Sockets { udp, tcp, tls, connections, patience, abuse, trusted, counters, streams, mut media } = sockets;
    let census = Census::new(connections, abuse, &trusted);
    let kit = Kit { census: census.clone(), patience, heard: hear, counters };
    let _listeners = listen(tcp, tls, &kit, &streams)?;
    let udp = udp.map(Udp::new).transpose()?;
    let mut engine = Engine { core, clock, udp, census, orders: HashMap::new(), unsent: Vec::new(), events };
    let sleep = sleep_until(clock.now().instant.into());
    tokio::pin!(sleep);
    let mut end = None;
    loop {
        tokio::select! {
            readable = readable(engine.udp.as_ref()) => {
                readable?;
                engine.receive();
            }
            Some(first) = heard.recv() => {
                engine.hear(first);
                // What else is there, before the outputs are looked at.
                (1..IN_ONE_GO).map_while(|_| heard.try_recv().ok()).for_each(|next| engine.hear(next));
            }
            command = commands.recv(), if end.is_none() && !engine.core.is_busy() => match command {
                Some(Command::Stop) | None => {
                    engine.core.command(Command::Stop, clock.now());
                    end = Some(clock.now().instant + ENDING);
                }
                Some(command) => engine.core.command(command, clock.now()),
            },
            Some(news) = media.recv() => engine.core.media(news, clock.now()),
            () = sleep.as_mut() => engine.core.timeout(clock.now()),
        }
        engine.put_out();
        let now = clock.now().instant;
        if end.is_some_and(|end| end <= now || engine.core.is_idle()) {
            engine.tell_all().await;
            return Ok(());
        }
        set(sleep.as_mut(), engine.next_timeout().min(end.unwrap_or(now + LONG)));
    }
}

/// Takes connections until what it returns is dropped.
fn listen(
    tcp: Option<net::TcpListener>,
    tls: Option<(net::TcpListener, watch::Receiver<Certificate>)>,
    kit: &Kit,
    streams: &runtime::Handle,
) -> io::Result<JoinSet<()>> {
    let _driven_by_it = streams.enter();
    let mut listeners = JoinSet::new();
    if let Some(socket) = tcp {
        listeners.spawn_on(Listener::new(socket, None, kit.clone())?.run(0, 2), streams);
    }
    if let Some((socket, certificate)) = tls {
        listeners.spawn_on(Listener::new(socket, Some(certificate), kit.clone())?.run(1, 2), streams);
    }
    Ok(listeners)
}

async fn readable(udp: Option<&Udp>) -> io::Result<()> {
    match udp {
        Some(udp) => udp.readable().await,
        None => std::future::pending().await,
    }
}

fn set(sleep: std::pin::Pin<&mut Sleep>, at: Instant) {
    let at = at.into();
    if sleep.deadline() != at || sleep.is_elapsed() {
        sleep.reset(at);
    }
}

/// The core with its sockets.
struct Engine {
    core: Core,
    clock: Clock,
    udp: Option<Udp>,
    census: Census,
    orders: HashMap<ConnectionId, Orders>,
    unsent: Vec<TransactionId>,
    events: mpsc::Sender<Vec<Event>>,
}

impl Engine {
    fn next_timeout(&self) -> Instant {
        let now = self.clock.now();
        self.core.next_timeout(now).unwrap_or(now.instant + LONG)
    }

    fn receive(&mut self) {
        let Self { core, clock, udp: Some(udp), .. } = self else { return };
        let now = clock.now();
        udp.receive(|from, bytes| core.datagram(from, bytes, now));
    }

    fn hear(&mut self, heard: Heard) {
        let now = self.clock.now();
        match heard {
            Heard::Opened { id, orders } => drop(self.orders.insert(id, orders)),
            Heard::Message { flow, bytes } => self.core.message(flow, bytes, now),
            Heard::Closed(id) => {
                self.orders.remove(&id);
                self.core.closed(id, now);
            }
        }
        self.core.connections(self.orders.len());
    }

    /// Carries out what the core wants, until it wants nothing more.
    fn put_out(&mut self) {
        loop {
            while let Some(output) = self.core.take_output() {
                match output {
                    Output::Send { flow, bytes, of } => self.send(flow, bytes, of),
                    Output::Trust(id) => self.orders.get_mut(&id).into_iter().for_each(Orders::trust),
                    // It carries out what it was told before, and ends.
                    Output::Close(id) => drop(self.orders.remove(&id)),
                    Output::LockOut(from) => self.census.lock_out(from, self.clock.now().instant),
                }
            }
            if self.unsent.is_empty() {
                break;
            }
            let now = self.clock.now();
            std::mem::take(&mut self.unsent).into_iter().for_each(|id| self.core.unsent(id, now));
        }
        if let Some(udp) = &mut self.udp {
            udp.flush();
        }
        self.tell();
    }

    fn send(&mut self, flow: Flow, bytes: Bytes, of: Option<TransactionId>) {
        let sent = match (flow.connection, &mut self.udp) {
            (Some(id), _) => match self.orders.get(&id).map(|orders| orders.send(bytes)) {
                Some(Ok(())) => true,
                // It does not take what it is sent: its bindings are worth nothing.
                Some(Err(_)) => self.orders.remove(&id).is_none(),
                None => false,
            },
            (None, Some(udp)) if flow.is_open() => {
                udp.send(flow.peer, bytes);
                true
            }
            (None, _) => false,
        };
        self.unsent.extend(of.filter(|_| !sent));
    }

    /// Hands over what is left, however long that takes.
    async fn tell_all(&mut self) {
        self.core.command(Command::Stop, self.clock.now());
        while let Ok(place) = self.events.reserve().await {
            let now = self.clock.now();
            let batch: Vec<_> = (0..BATCH).map_while(|_| self.core.take_event(now)).collect();
            if batch.is_empty() {
                return;
            }
            place.send(batch);
        }
    }

    /// Hands events over in batches. What nobody takes now stays with the core.
    fn tell(&mut self) {
        let now = self.clock.now();
        if self.core.next_event(now).is_none_or(|due| due > now.instant) {
            return;
        }
        loop {
            let Ok(place) = self.events.try_reserve() else {
                return self.core.put_off_events(now);
            };
            let batch: Vec<_> = (0..BATCH).map_while(|_| self.core.take_event(now)).collect();
            if batch.is_empty() {
                return;
            }
            place.send(batch);
        }
    }
}
