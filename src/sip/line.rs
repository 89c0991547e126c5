//! The way between agents and their softphones: orders one way, news the other, and which calls there are.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use crate::domain::{AgentId, SoftphoneLeg, SoftphoneNews, SoftphoneOrder};

/// Orders that the engine has not been given yet. It protects memory from an engine that does not keep up; an agent waits then.
const ORDERS: usize = 1024;
/// News that the directory has not taken yet; the engine holds the rest.
const NEWS: usize = 256;

/// The agents' end. Clones are the same.
#[derive(Clone)]
pub struct Line {
    orders: mpsc::Sender<SoftphoneOrder>,
    calls: Arc<Calls>,
    target: Arc<OnceLock<String>>,
}

/// The softphones' end.
pub struct Exchange {
    pub(crate) orders: mpsc::Receiver<SoftphoneOrder>,
    pub(crate) news: News,
    pub(super) target: Arc<OnceLock<String>>,
}

/// Where news go.
#[derive(Clone)]
pub(crate) struct News {
    tell: mpsc::Sender<(SoftphoneLeg, SoftphoneNews)>,
    pub(super) calls: Arc<Calls>,
}

/// The calls that ring or are talked at, and whether there may be more.
pub(super) struct Calls {
    all: watch::Sender<BTreeSet<SoftphoneLeg>>,
    are_the_last: AtomicBool,
}

/// Both ends, and the news for the directory.
pub fn line() -> (Line, Exchange, mpsc::Receiver<(SoftphoneLeg, SoftphoneNews)>) {
    let ((orders, ordered), (tell, news)) = (mpsc::channel(ORDERS), mpsc::channel(NEWS));
    let calls = Arc::new(Calls { all: watch::Sender::new(BTreeSet::new()), are_the_last: AtomicBool::new(false) });
    let target = Arc::new(OnceLock::new());
    let line = Line { orders, calls: calls.clone(), target: target.clone() };
    (line, Exchange { orders: ordered, news: News { tell, calls }, target }, news)
}

impl Line {
    /// Gives an order without waiting.
    ///
    /// # Errors
    /// The order, if there are too many before it. One to an engine that has ended is done with.
    pub fn try_order(&self, order: SoftphoneOrder) -> Result<(), SoftphoneOrder> {
        self.calls.ordered(&order);
        match self.orders.try_send(order) {
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(order)) => Err(order),
        }
    }

    /// The same, and waits for its turn.
    pub async fn order(&self, order: SoftphoneOrder) {
        self.calls.ordered(&order);
        // An engine that has ended rings nothing.
        let _ = self.orders.send(order).await;
    }

    /// The agent's calls that ring or are talked at.
    pub fn calls_of(&self, agent: AgentId) -> Vec<SoftphoneLeg> {
        self.calls.all.borrow().iter().filter(|leg| leg.call.agent == agent).copied().collect()
    }

    /// What follows the ticket in the URI that Twilio calls.
    pub fn target(&self) -> &str {
        self.target.get().map_or("", String::as_str)
    }
}

impl News {
    /// Waits while the directory has its hands full. One that has ended is told nothing.
    pub(crate) async fn tell(&self, leg: SoftphoneLeg, news: SoftphoneNews) {
        self.calls.told(leg, &news);
        let _ = self.tell.send((leg, news)).await;
    }
}

impl Calls {
    fn ordered(&self, order: &SoftphoneOrder) {
        self.all.send_modify(|calls| {
            match order {
                SoftphoneOrder::Ring { leg, .. } => calls.insert(*leg),
                SoftphoneOrder::HangUp(leg) => calls.remove(leg),
            };
        });
    }

    fn told(&self, leg: SoftphoneLeg, news: &SoftphoneNews) {
        if matches!(news, SoftphoneNews::Failed(_) | SoftphoneNews::Ended { .. }) {
            self.all.send_modify(|calls| {
                calls.remove(&leg);
            });
        }
    }

    /// No more begin from now on.
    pub(super) fn end(&self) {
        self.are_the_last.store(true, Ordering::Release);
    }

    pub(super) fn are_the_last(&self) -> bool {
        self.are_the_last.load(Ordering::Acquire)
    }

    pub(super) fn count(&self) -> usize {
        self.all.borrow().len()
    }

    /// Resolves once there are none.
    pub(super) async fn none(&self) {
        let mut calls = self.all.subscribe();
        let _ = calls.wait_for(BTreeSet::is_empty).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{CallId, Customer, EndedBy, LegNo, NotReached};

    fn leg(number: u64) -> SoftphoneLeg {
        SoftphoneLeg { call: CallId { agent: AgentId::from_bits(7), number }, leg: LegNo(1) }
    }

    fn ring(number: u64) -> SoftphoneOrder {
        SoftphoneOrder::Ring { leg: leg(number), caller: Customer::default(), ring: Duration::from_secs(20) }
    }

    #[tokio::test]
    async fn calls_are_there_until_they_have_failed_or_ended_or_are_hung_up() {
        let (line, exchange, _news) = line();
        for number in 1..5 {
            line.try_order(ring(number)).unwrap();
        }
        exchange.news.tell(leg(1), SoftphoneNews::Failed(NotReached::Busy)).await;
        exchange.news.tell(leg(2), SoftphoneNews::Rings).await;
        exchange.news.tell(leg(3), SoftphoneNews::Ended { by: EndedBy::Phone, quality: None }).await;
        line.try_order(SoftphoneOrder::HangUp(leg(4))).unwrap();
        assert_eq!(line.calls_of(AgentId::from_bits(7)), [leg(2)]);
        assert_eq!(line.calls_of(AgentId::from_bits(8)), []);
        line.order(SoftphoneOrder::HangUp(leg(2))).await;
        exchange.news.calls.none().await;
    }

    #[tokio::test]
    async fn an_order_that_finds_no_room_comes_back_and_one_to_nobody_is_done_with() {
        let (line, exchange, _news) = line();
        let mut given = 0;
        while line.try_order(ring(given)).is_ok() {
            given += 1;
        }
        assert_eq!(given, ORDERS as u64);
        drop(exchange);
        assert_eq!(line.try_order(ring(0)), Ok(()));
    }
}
