use super::*;
use crate::domain::{Admission, CallId, Customer, LegNo, SipTicket};

/// A leg that no agent has asked for.
fn stray(agent: u64, number: u64) -> SoftphoneLeg {
    SoftphoneLeg { call: CallId { agent: AgentId::from_bits(agent), number }, leg: LegNo(1) }
}

fn answered() -> SoftphoneNews {
    SoftphoneNews::Answered(Admission { ticket: SipTicket::new("t"), login: None })
}

impl Bench {
    async fn ordered(&mut self) -> SoftphoneOrder {
        tokio::time::timeout(LIMIT, self.exchange.orders.recv()).await.unwrap().unwrap()
    }
}

#[actix_web::test]
async fn news_of_softphones_come_in_order_although_the_agents_mailbox_is_full() {
    let mut bench = Bench::new().await;
    for number in 0..300 {
        bench.accept(event(number, 1, &format!("activity {number}"))).await;
        bench.exchange.news.tell(stray(1, number), answered()).await;
    }
    // What is answered although nobody has asked for it is hung up.
    for number in 0..300 {
        assert_eq!(bench.ordered().await, SoftphoneOrder::HangUp(stray(1, number)));
    }
    bench.empty().await;
}

#[actix_web::test]
async fn what_is_answered_for_an_agent_that_nobody_knows_is_hung_up_and_the_rest_passed_over() {
    let mut bench = Bench::new().await;
    bench.exchange.news.tell(stray(9, 1), SoftphoneNews::Rings).await;
    bench.exchange.news.tell(stray(9, 2), answered()).await;
    assert_eq!(bench.ordered().await, SoftphoneOrder::HangUp(stray(9, 2)));
    assert!(bench.overview().await.live.is_empty());
}

#[actix_web::test]
async fn a_call_that_rings_when_its_agent_is_removed_is_hung_up() {
    let mut bench = Bench::new().await;
    bench.accept(event(1, 1, "Available on Mobile")).await;
    bench.accept(offer(2)).await;
    let SoftphoneOrder::Ring { leg, caller, ring } = bench.ordered().await else { panic!("nothing rings") };
    assert_eq!((leg.call.agent, ring), (AgentId::from_bits(1), Duration::from_secs(20)));
    assert_eq!(caller, Customer { name: None, address: Some("+15550177".into()) });
    assert_eq!(bench.line.calls_of(leg.call.agent), [leg]);
    bench.tell(News::Removed(AgentId::from_bits(1))).await;
    assert_eq!(bench.ordered().await, SoftphoneOrder::HangUp(leg));
    assert_eq!(bench.line.calls_of(leg.call.agent), []);
}

/// A customer calls agent 1.
fn offer(number: u64) -> Event {
    use crate::domain::{ReservationEvent, ReservationEventKind, TaskFacts};
    Event::Reservation(ReservationEvent {
        sid: format!("EV{number:032x}").parse().unwrap(),
        kind: ReservationEventKind::Created,
        reservation: format!("WR{number:032x}").parse().unwrap(),
        version: Some(0),
        at: NOON,
        worker: format!("WK{:032x}", 1).parse().unwrap(),
        worker_name: "worker-1".into(),
        activity: Some("Available on Mobile".into()),
        task: TaskFacts {
            sid: format!("WT{number:032x}").parse().unwrap(),
            channel: "voice".into(),
            workflow: None,
            attributes: r#"{"from":"+15550177"}"#.into(),
        },
    })
}
