//! A running sandbox in a test's hands.

mod chats;

use std::{future::Future, net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub use self::chats::CustomerChat;
use crate::{
    engine::Engine,
    faults::{Faults, RestFault, WebhookFaults},
    log::LogEntry,
    options::Auto,
    rest::error::Refusal,
    world::{World, sid::Sid, snapshot::Snapshot, verify::CodeDelivery},
};

/// The number that the page's customer calls from.
pub(crate) const SOME_CUSTOMER: &str = "+15550123";

/// A running sandbox; it stops when this is dropped.
///
/// What a person can do at the page, and more. Nothing here waits but the methods that say so.
pub struct Handle {
    pub(crate) engine: Arc<Engine>,
    pub(crate) address: SocketAddr,
    pub(crate) facts: Facts,
    pub(crate) sip: Option<SocketAddr>,
    pub(crate) running: [Option<Running>; 2],
}

/// A thread, and what stops it.
pub(crate) struct Running {
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) thread: JoinHandle<()>,
}

/// What a client of the stand-in needs to know.
#[derive(Clone, Debug)]
pub struct Facts {
    pub account_sid: String,
    pub auth_token: String,
    pub workspace_sid: Sid,
    pub workflow_sid: Sid,
    /// The service that Flex's conversations and their files are in.
    pub chat_service_sid: Sid,
    pub verify_service_sid: Sid,
    pub sync_service_sid: Sid,
}

/// A call that a customer has placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerCall {
    pub call_sid: Sid,
    pub task_sid: Sid,
}

/// What was waited for did not come; the state as it was then.
#[derive(Debug, thiserror::Error)]
#[error("not within {limit:?}; the state is {state:#?}")]
pub struct NotInTime {
    pub limit: Duration,
    pub state: Box<Snapshot>,
}

impl Handle {
    /// Scheme, host and port, as in `http://127.0.0.1:4010`: the base URL of every product, and the page's.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where calls over SIP come from, by UDP and TCP. None: `Options::sip` is none.
    pub const fn sip_address(&self) -> Option<SocketAddr> {
        self.sip
    }

    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Sets the workspace's EventCallbackUrl; it may have a fragment with connection overrides.
    pub fn set_event_callback(&self, url: &str) {
        self.engine.act(|world| world.event_callback = Some(url.to_owned()));
    }

    /// Twilio gives all Event Streams sinks up.
    pub fn fail_sinks(&self) {
        self.engine.act(World::fail_sinks);
    }

    /// A customer calls, and waits in the queue.
    pub fn place_call(&self, from: &str) -> CustomerCall {
        let (call_sid, task_sid) = self.engine.act(|world| world.place_call(from));
        CustomerCall { call_sid, task_sid }
    }

    pub fn customer_hangs_up(&self, call: &Sid) -> Result<(), Refusal> {
        self.engine.act(|world| world.customer_hangs_up(call))
    }

    /// The phone with this number is answered.
    pub fn answer(&self, phone: &str) -> Result<(), Refusal> {
        self.engine.act(|world| world.phone_answers(phone))
    }

    /// The call that rings is declined: the caller hears busy.
    pub fn decline(&self, phone: &str) -> Result<(), Refusal> {
        self.engine.act(|world| world.phone_declines(phone))
    }

    /// The ring ends now as if it had rung out.
    pub fn no_answer(&self, phone: &str) -> Result<(), Refusal> {
        self.engine.act(|world| world.phone_is_not_answered(phone))
    }

    /// The one at the phone presses a key: 0 to 9, * or #.
    pub fn press(&self, phone: &str, key: char) -> Result<(), Refusal> {
        self.engine.act(|world| world.phone_presses(phone, key))
    }

    /// The one at the phone hangs up a call that was answered.
    pub fn hang_up(&self, phone: &str) -> Result<(), Refusal> {
        self.engine.act(|world| world.phone_hangs_up(phone))
    }

    /// Legs to a phone that is not reachable fail.
    pub fn set_reachable(&self, phone: &str, reachable: bool) {
        self.engine.act(|world| world.set_reachable(phone, reachable));
    }

    /// What a phone does without a person, at once for a call that rings already.
    pub fn set_auto(&self, phone: &str, auto: Auto) {
        self.engine.act(|world| world.set_auto(phone, auto));
    }

    /// The one-time code that was sent to a phone last.
    pub fn last_code(&self, phone: &str) -> Option<String> {
        self.snapshot().last_code(phone).map(|sent| sent.code.clone())
    }

    /// How one-time codes get to a number from now on.
    pub fn set_code_delivery(&self, phone: &str, delivery: CodeDelivery) {
        self.engine.act(|world| world.set_code_delivery(phone, delivery));
    }

    /// Twilio refuses to call this address (40145).
    pub fn set_unroutable(&self, address: &str) {
        self.engine.act(|world| world.unroutable.push(address.to_owned()));
    }

    /// A worker (by sid, worker name or phone number) takes another activity, as from the Flex desktop.
    pub fn set_activity(&self, worker: &str, activity: &str) -> Result<(), Refusal> {
        self.engine.act(|world| world.desk_sets_activity(worker, activity))
    }

    /// The next requests go wrong so, after the faults that are already there.
    pub fn fault(&self, fault: RestFault) {
        self.engine.with(|inner| inner.faults.rest.push(fault));
        self.engine.wake();
    }

    pub fn set_webhook_faults(&self, faults: WebhookFaults) {
        self.engine.with(|inner| inner.faults.webhooks = faults);
        self.engine.wake();
    }

    /// While it is down no request is answered.
    pub fn set_down(&self, down: bool) {
        self.engine.with(|inner| inner.faults.down = down);
        self.engine.wake();
    }

    pub fn clear_faults(&self) {
        self.engine.with(|inner| inner.faults = Faults::default());
        self.engine.wake();
    }

    pub fn snapshot(&self) -> Snapshot {
        self.engine.snapshot(usize::MAX)
    }

    /// What went over the wire, the oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        self.engine.with(|inner| inner.log.after(0))
    }

    /// Does what has fallen due; for a clock that a test has just turned.
    pub fn tick(&self) {
        self.engine.act(|_| ());
    }

    /// Waits until the state is so, in real time.
    pub fn wait_until(
        &self,
        limit: Duration,
        mut so: impl FnMut(&Snapshot) -> bool,
    ) -> impl Future<Output = Result<Snapshot, NotInTime>> {
        self.wait(limit, move |engine| so(&engine.snapshot(usize::MAX)))
    }

    /// Waits until the log is so, in real time.
    pub fn wait_until_log(
        &self,
        limit: Duration,
        mut so: impl FnMut(&[LogEntry]) -> bool,
    ) -> impl Future<Output = Result<Snapshot, NotInTime>> {
        self.wait(limit, move |engine| so(&engine.with(|inner| inner.log.after(0))))
    }

    /// Waits, in real time, until every webhook that has arisen is answered or given up, but those that were asked to
    /// come at a later moment of the sandbox's clock.
    pub fn settled(&self, limit: Duration) -> impl Future<Output = Result<Snapshot, NotInTime>> {
        self.wait(limit, Engine::is_settled)
    }

    fn wait(
        &self,
        limit: Duration,
        mut so: impl FnMut(&Engine) -> bool,
    ) -> impl Future<Output = Result<Snapshot, NotInTime>> {
        let engine = Arc::clone(&self.engine);
        async move {
            let mut changes = engine.changes();
            let waited = tokio::time::timeout(limit, async {
                while !so(&engine) {
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
            })
            .await;
            let state = engine.snapshot(usize::MAX);
            waited.map(|()| state.clone()).map_err(|_| NotInTime { limit, state: Box::new(state) })
        }
    }

    /// Stops the server and waits for its thread; dropping the handle does the same.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        let running = self.running.each_mut().map(Option::take);
        let threads = running.map(|running| {
            running.map(|Running { stop, thread }| {
                let _gone = stop.send(());
                thread
            })
        });
        for thread in threads.into_iter().flatten() {
            let _panicked = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shut_down();
    }
}
