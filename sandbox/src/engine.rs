//! The one owner of the state: it runs commands on the [`World`] and on the devices, hands out the webhooks that follow,
//! and wakes whoever waits for a change. The lock is never held across an await.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{mpsc, watch};

use crate::{
    app::Apps,
    deliver::Webhook,
    faults::Faults,
    log::{Log, LogEntry},
    options::{OnCode, Options},
    push::{Devices, fcm::ServiceAccount},
    sip::{self, Order},
    time::Time,
    world::{World, sip::SipEnd, snapshot::Snapshot},
};

/// Webhooks that wait to be handed to their destinations. More are lost, and logged as lost: Twilio replays none either.
const OUTBOX: usize = 16_384;

pub(crate) struct Engine {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
    outbox: mpsc::Sender<Webhook>,
    orders: mpsc::Sender<Order>,
    /// Webhooks that are neither answered nor given up.
    in_flight: AtomicUsize,
    /// Until when webhooks are held back that were asked to come late.
    held_back: Mutex<Vec<u64>>,
    /// Made when it is first asked for.
    account: OnceLock<Option<ServiceAccount>>,
    on_code: Option<OnCode>,
    pub(crate) time: Arc<dyn Time>,
}

/// What arises, for whoever sees to it.
pub(crate) struct Taken {
    pub(crate) webhooks: mpsc::Receiver<Webhook>,
    pub(crate) orders: mpsc::Receiver<Order>,
}

pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) devices: Devices,
    pub(crate) apps: Apps,
}

impl Engine {
    pub(crate) fn new(options: &Options) -> (Arc<Self>, Taken) {
        let (outbox, webhooks) = mpsc::channel(OUTBOX);
        let (orders, taken) = mpsc::channel(sip::ORDERS);
        let world = World::new(options, options.time.now_ms());
        let engine = Self {
            inner: Mutex::new(Inner {
                world,
                faults: Faults::default(),
                log: Log::default(),
                devices: Devices::default(),
                apps: Apps::default(),
            }),
            changed: watch::Sender::new(0),
            outbox,
            orders,
            in_flight: AtomicUsize::new(0),
            held_back: Mutex::default(),
            account: OnceLock::new(),
            on_code: options.on_code.clone(),
            time: Arc::clone(&options.time),
        };
        (Arc::new(engine), Taken { webhooks, orders: taken })
    }

    /// Runs a command at the present moment, and what falls due with it.
    pub(crate) fn act<R>(&self, command: impl FnOnce(&mut World) -> R) -> R {
        let mut inner = self.lock();
        let now = self.time.now_ms();
        inner.world.advance(now);
        let result = command(&mut inner.world);
        inner.world.advance(now);
        self.order(&mut inner.world);
        // Under the lock, so that webhooks leave in the order in which they arose.
        for webhook in inner.world.take_webhooks() {
            self.in_flight.fetch_add(1, Ordering::SeqCst);
            if let Err(refused) = self.outbox.try_send(webhook) {
                self.in_flight.fetch_sub(1, Ordering::SeqCst);
                let entry = refused.into_inner().log_entry(now, None, "", Some("lost: the stand-in's outbox is full"));
                inner.log.add(entry);
            }
        }
        let codes = inner.world.take_codes();
        drop(inner);
        if let Some(on_code) = &self.on_code {
            codes.iter().for_each(|code| on_code(code));
        }
        self.wake();
        result
    }

    /// Hands out what is to be done over SIP. A call for which there is no room fails.
    fn order(&self, world: &mut World) {
        for order in world.take_orders() {
            if let Err(refused) = self.orders.try_send(order)
                && let Order::Call(call) = refused.into_inner()
            {
                world.sip_ends(&call.sid, SipEnd::Refused(503));
            }
        }
    }

    /// Reads or changes what is no part of the world: faults, the log, the devices and the apps.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.lock())
    }

    pub(crate) fn log(&self, entry: LogEntry) {
        self.lock().log.add(entry);
        self.wake();
    }

    /// One webhook is answered or given up.
    pub(crate) fn webhook_done(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.wake();
    }

    /// More deliveries of one webhook.
    pub(crate) fn webhooks_added(&self, more: usize) {
        self.in_flight.fetch_add(more, Ordering::SeqCst);
    }

    /// A webhook waits for a moment of the sandbox's clock.
    pub(crate) fn hold_back(&self, until: u64) {
        self.held_back().push(until);
        self.wake();
    }

    /// A webhook's moment has come.
    pub(crate) fn let_go(&self, until: u64) {
        let mut held = self.held_back();
        if let Some(place) = held.iter().position(|one| *one == until) {
            held.swap_remove(place);
        }
    }

    /// Whether all webhooks are answered or given up, but those that wait for a later moment.
    pub(crate) fn is_settled(&self) -> bool {
        let now = self.time.now_ms();
        let waiting = self.held_back().iter().filter(|until| **until > now).count();
        self.in_flight.load(Ordering::SeqCst) <= waiting
    }

    fn held_back(&self) -> MutexGuard<'_, Vec<u64>> {
        self.held_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self, last: usize) -> Snapshot {
        let inner = self.lock();
        Snapshot { devices: inner.devices.view(last), apps: inner.apps.phones(), ..inner.world.snapshot(last) }
    }

    /// Changes the devices, at the present moment.
    pub(crate) fn on_devices<R>(&self, act: impl FnOnce(&mut Devices, u64) -> R) -> R {
        let now = self.time.now_ms();
        let result = act(&mut self.lock().devices, now);
        self.wake();
        result
    }

    /// The service account for FCM; `url` is the stand-in's. None: the system has no random numbers.
    pub(crate) fn service_account(&self, url: &str) -> Option<&ServiceAccount> {
        self.account.get_or_init(|| ServiceAccount::generate(format!("{url}/fcm/token")).ok()).as_ref()
    }

    /// Tells of every change of the state, the faults or the log.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn wake(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Does what falls due, for ever.
    pub(crate) async fn run_timers(self: Arc<Self>) {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            let due = self.lock().world.next_due().unwrap_or(u64::MAX);
            if due <= self.time.now_ms() {
                self.act(|_| ());
                continue;
            }
            // No sleep is so long that adding it to the present moment overflows.
            let due = due.min(self.time.now_ms().saturating_add(86_400_000));
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.time.sleep_until(due) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
