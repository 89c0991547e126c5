//! Whatever comes in whatever order: nothing is kept for ever, and nothing is said twice.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Happens {
    Request,
    Ack,
    Answer(u16),
    Response(u16),
    Unsent,
    Time(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let code = prop::sample::select(vec![100u16, 180, 200, 202, 302, 404, 486, 503, 603]);
    prop_oneof![
        Just(Happens::Request),
        Just(Happens::Ack),
        code.clone().prop_map(Happens::Answer),
        code.prop_map(Happens::Response),
        Just(Happens::Unsent),
        (1u64..40_000).prop_map(Happens::Time),
    ]
}

struct Run {
    bench: Bench,
    server: (ServerKey, TransactionId),
    client: (ClientKey, TransactionId),
}

impl Run {
    fn new(reliable: bool, invite: bool) -> Self {
        let mut bench = Bench::new(reliable);
        let server = if invite { bench.invite() } else { bench.register(1) };
        let (flow, now, bytes) = (bench.flow(), bench.now, Bytes::from("request"));
        let key = ClientKey::new("z9hG4bK1", if invite { "INVITE" } else { "OPTIONS" });
        let id = match invite {
            true => bench.table.invite(key.clone(), flow, bytes, now),
            false => bench.table.ask(key.clone(), flow, bytes, now),
        };
        bench.outputs();
        Self { bench, server, client: (key, id.unwrap()) }
    }

    fn happen(&mut self, what: Happens) -> Vec<String> {
        let now = self.bench.now;
        let bench = &mut self.bench;
        match what {
            Happens::Request => drop(bench.table.request(&self.server.0, bench.flow(), now)),
            Happens::Ack => drop(bench.table.ack(&self.server.0, now)),
            Happens::Answer(code) => return bench.respond(self.server.1, code),
            Happens::Response(code) => return bench.response(&self.client.0, code),
            Happens::Unsent => bench.table.unsent(self.client.1, now),
            Happens::Time(millis) => {
                let outputs = bench.pass(Duration::from_millis(millis));
                return outputs.into_iter().map(|(_, output)| output).collect();
            }
        }
        bench.outputs()
    }
}

proptest! {
    #[test]
    fn after_a_final_answer_all_is_let_go_of(
        reliable in any::<bool>(),
        invite in any::<bool>(),
        events in prop::collection::vec(happens(), 0..40),
    ) {
        let mut run = Run::new(reliable, invite);
        for event in events {
            run.happen(event);
        }
        run.happen(Happens::Answer(486));
        run.happen(Happens::Response(486));
        run.happen(Happens::Time(120_000));
        prop_assert_eq!(run.bench.table.len(), 0);
        prop_assert_eq!(run.bench.table.waiting(), (0, 0, 0));
    }

    #[test]
    fn a_client_hears_one_failure_at_most_and_nothing_after_it_could_not_send(
        reliable in any::<bool>(),
        invite in any::<bool>(),
        events in prop::collection::vec(happens(), 0..40),
    ) {
        let mut run = Run::new(reliable, invite);
        let (mut failures, mut unsent) = (0, 0);
        for event in events {
            let told = run.happen(event);
            let count = |what: &str| told.iter().filter(|told| *told == what).count();
            match event {
                Happens::Response(code) => {
                    prop_assert!(unsent == 0 || count("Pass") == 0);
                    failures += if code >= 300 { count("Pass") } else { 0 };
                }
                Happens::Unsent => unsent += count("Unsent"),
                _ => {}
            }
        }
        prop_assert!(failures <= 1 && unsent <= 1);
    }

    #[test]
    fn time_that_stands_still_wakes_nothing_twice(
        reliable in any::<bool>(),
        invite in any::<bool>(),
        events in prop::collection::vec(happens(), 0..20),
    ) {
        let mut run = Run::new(reliable, invite);
        for event in events {
            run.happen(event);
            let now = run.bench.now;
            run.bench.table.timeout(now);
            run.bench.outputs();
            run.bench.table.timeout(now);
            prop_assert!(run.bench.outputs().is_empty());
            prop_assert!(run.bench.table.next_timeout().is_none_or(|at| at > now));
        }
    }
}
