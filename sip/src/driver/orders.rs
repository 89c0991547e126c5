//! What the engine tells a connection, and how much of it may wait there.

use bytes::Bytes;
use tokio::sync::mpsc;

/// An order to a connection. It closes when there is nobody left to give any.
#[derive(Debug)]
pub(super) enum Order {
    Send(Bytes),
    /// Somebody has shown a password: it may stay.
    Trust,
}

/// Orders that a stranger's connection has not carried out yet: one that does not take its answers is closed.
const STRANGERS: usize = 64;
/// The same of one that is trusted: phones behind a proxy of theirs are told many things at once.
const PHONES: usize = 1024;
/// The same of one of Twilio's: all calls that there can be may end at once, over one connection.
const TRUNKS: usize = 8192;

/// The engine's end.
#[derive(Debug)]
pub(super) struct Orders {
    give: mpsc::Sender<Order>,
    /// How many may wait.
    most: usize,
}

/// There is no room, or the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Undone;

impl Orders {
    /// Of a new connection; `trunk`: from a network of Twilio's. The room is taken as orders wait.
    pub(super) fn new(trunk: bool) -> (Self, mpsc::Receiver<Order>) {
        let (give, take) = mpsc::channel(if trunk { TRUNKS } else { PHONES });
        (Self { give, most: STRANGERS }, take)
    }

    pub(super) fn send(&self, bytes: Bytes) -> Result<(), Undone> {
        let waiting = self.give.max_capacity() - self.give.capacity();
        if waiting >= self.most {
            return Err(Undone);
        }
        self.give.try_send(Order::Send(bytes)).map_err(|_| Undone)
    }

    /// From now on more may wait.
    pub(super) fn trust(&mut self) {
        self.most = self.give.max_capacity();
        // Without room it is busy, and is trusted the next time.
        let _ = self.give.try_send(Order::Trust);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(orders: &Orders) -> usize {
        (0..100_000).take_while(|_| orders.send(Bytes::from_static(b"BYE")).is_ok()).count()
    }

    #[test]
    fn much_may_wait_for_whoever_is_trusted_and_most_for_twilio() {
        for (trunk, most) in [(false, PHONES), (true, TRUNKS)] {
            let (mut orders, mut waiting) = Orders::new(trunk);
            assert_eq!(taken(&orders), STRANGERS);
            orders.trust();
            assert_eq!(taken(&orders), most - STRANGERS - 1);
            assert!(matches!(waiting.try_recv(), Ok(Order::Send(_))));
            assert_eq!(taken(&orders), 1);
        }
    }

    #[test]
    fn nothing_is_sent_over_a_connection_that_is_gone() {
        let (orders, waiting) = Orders::new(true);
        drop(waiting);
        assert_eq!(orders.send(Bytes::new()), Err(Undone));
    }
}
