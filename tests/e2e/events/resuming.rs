//! Apps that go and come back.

/// The client is PyPI's.
mod with_python {
    use std::{collections::BTreeMap, time::Duration};

    use proptest::{prelude::*, test_runner::RngSeed};
    use serde_json::{Value, json};

    use crate::{
        events::client::{Ear, Ears},
        house::{ADA, AgentApp, CUSTOMER, House, Plan},
    };

    /// What an app has made of what it was told.
    #[derive(Default)]
    struct Picture {
        seq: u64,
        activity: Value,
        unread: Value,
        tasks: BTreeMap<String, Value>,
        snapshots: usize,
    }

    impl Picture {
        fn take(&mut self, frame: &Value) {
            let seq = frame["seq"].as_u64().unwrap();
            if frame["type"] == "snapshot" {
                let tasks = frame["tasks"].as_array().unwrap().iter();
                self.tasks = tasks.map(|task| (task["sid"].as_str().unwrap().to_owned(), task.clone())).collect();
                (self.activity, self.unread) = (frame["activity"].clone(), frame["unread"].clone());
                (self.seq, self.snapshots) = (seq, self.snapshots + 1);
                return;
            }
            assert_eq!(seq, self.seq + 1, "{frame}");
            self.seq = seq;
            let task = frame["task"]["sid"].as_str().unwrap_or_default().to_owned();
            match frame["type"].as_str().unwrap() {
                "task.offered" => assert!(self.tasks.insert(task, frame["task"].clone()).is_none(), "{frame}"),
                "task.updated" => drop(self.tasks.insert(task, frame["task"].clone())),
                "task.closed" => assert!(self.tasks.remove(&task).is_some(), "{frame}"),
                "unread" => {
                    self.unread = frame["total"].clone();
                    let conversation = &frame["conversation"];
                    let of_it = |task: &&mut Value| task["conversation"] == *conversation;
                    if let Some(task) = self.tasks.values_mut().find(of_it) {
                        task["unread"] = frame["unread"].clone();
                    }
                }
                "activity" => self.activity = frame["activity"].clone(),
                "message" | "call" => {}
                other => panic!("{other}"),
            }
        }

        fn has(&mut self, frames: &[Value]) {
            frames.iter().for_each(|frame| self.take(frame));
        }

        /// Sid, status and unread of each task.
        fn shown(&self) -> Vec<(String, Value, Value)> {
            let tasks = self.tasks.iter();
            tasks.map(|(sid, task)| (sid.clone(), task["status"].clone(), task["unread"].clone())).collect()
        }
    }

    async fn is_true(house: &House, app: &AgentApp, picture: &Picture) {
        let (me, tasks) = (app.get("/me").await.body, app.get("/tasks").await.body);
        assert_eq!((&picture.activity, &picture.unread), (&me["activity"], &me["unread"]));
        let mut shown: Vec<_> = tasks["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| (task["sid"].as_str().unwrap().to_owned(), task["status"].clone(), task["unread"].clone()))
            .collect();
        shown.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(picture.shown(), shown, "at {:?}", house.now());
    }

    #[tokio::test]
    async fn who_comes_back_hears_what_was_missed_and_nothing_twice() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let app = house.app(ADA);
        let ear = ears.open(&house, &app, None);
        let mut picture = Picture::default();
        picture.take(&ear.frame());
        ear.drop_off();
        house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
        house.quiet().await;
        let ear = ears.open(&house, &app, Some(picture.seq));
        picture.has(&ear.so_far());
        assert_eq!((picture.snapshots, picture.tasks.len()), (1, 1));
        ear.close();
        let ear = ears.open(&house, &app, Some(picture.seq));
        assert_eq!(ear.so_far(), Vec::<Value>::new(), "there is nothing to tell");
        // Of a number that this life of the stream has not had all is shown anew.
        for after in [0, picture.seq + 1, picture.seq - 100] {
            assert_eq!(ears.open(&house, &app, Some(after)).frame()["type"], "snapshot", "{after}");
        }
    }

    #[tokio::test]
    async fn after_a_restart_all_is_shown_anew_whatever_number_comes() {
        let (mut house, ears) = (Plan::default().build().await, Ears::new());
        let mut seen = Vec::new();
        for _ in 0..3 {
            let app = house.app(ADA);
            for after in &seen {
                let ear = ears.open(&house, &app, Some(*after));
                assert_eq!(ear.frame()["type"], "snapshot", "{after}");
                ear.close();
            }
            let ear = ears.open(&house, &app, None);
            let mut picture = Picture::default();
            picture.take(&ear.frame());
            seen.push(picture.seq);
            house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
            house.quiet().await;
            picture.has(&ear.so_far());
            seen.extend(seen.last().unwrap() + 1..=picture.seq);
            // The house's clock stands still meanwhile.
            house.restart().await;
            assert_eq!(ear.end().0, 1012);
        }
        assert!(seen.is_sorted(), "{seen:?}");
    }

    #[derive(Clone, Debug)]
    enum Move {
        CustomerComes,
        CustomerSays(usize),
        Accept,
        Complete,
        Activity(bool),
        /// One of the two goes: with a word, or without.
        Go(usize, bool),
        ComeBack(usize),
        Open(usize, bool),
        Restart,
        Wait(u64),
    }

    fn a_move() -> impl Strategy<Value = Move> {
        prop_oneof![
            3 => Just(Move::CustomerComes),
            6 => (0_usize..9).prop_map(Move::CustomerSays),
            3 => Just(Move::Accept),
            1 => Just(Move::Complete),
            1 => any::<bool>().prop_map(Move::Activity),
            3 => (0_usize..2, any::<bool>()).prop_map(|(which, word)| Move::Go(which, word)),
            4 => (0_usize..2).prop_map(Move::ComeBack),
            1 => (0_usize..2, any::<bool>()).prop_map(|(which, open)| Move::Open(which, open)),
            1 => Just(Move::Restart),
            2 => (0_u64..20).prop_map(Move::Wait),
        ]
    }

    struct App<'a> {
        app: AgentApp,
        ear: Option<Ear<'a>>,
        picture: Picture,
    }

    impl<'a> App<'a> {
        fn comes_back(&mut self, house: &House, ears: &'a Ears) {
            if self.ear.is_none() {
                let after = Some(self.picture.seq).filter(|_| self.picture.snapshots > 0);
                self.ear = Some(ears.open(house, &self.app, after));
            }
        }

        fn catches_up(&mut self) {
            let frames = self.ear.as_ref().map(Ear::so_far).unwrap_or_default();
            self.picture.has(&frames);
        }
    }

    async fn make(house: &mut House, apps: &mut [App<'_>; 2], one: &Move) {
        let app = apps[0].app.clone();
        match *one {
            Move::CustomerComes => drop(house.twilio.start_chat(CUSTOMER, "Maria", "hello?")),
            Move::CustomerSays(which) => {
                let state = house.twilio.snapshot();
                let conversations: Vec<_> = state.conversations.iter().map(|one| one.sid.clone()).collect();
                if !conversations.is_empty() {
                    let _ = house.twilio.customer_says(&conversations[which % conversations.len()], "and?");
                }
            }
            Move::Accept | Move::Complete => {
                let tasks = app.get("/tasks").await.body;
                let status = if matches!(one, Move::Accept) { "pending" } else { "accepted" };
                let task = tasks["items"].as_array().unwrap().iter().find(|task| task["status"] == status).cloned();
                if let Some(task) = task.map(|task| task["sid"].as_str().unwrap().into()) {
                    let doing =
                        async { if status == "pending" { app.accept(&task).await } else { app.complete(&task).await } };
                    house.meanwhile(doing).await;
                }
            }
            Move::Activity(available) => {
                let wish = Some(json!({ "available": available }));
                house.meanwhile(app.call(reqwest::Method::PUT, "/me/activity", wish)).await;
            }
            Move::Go(which, word) => match apps[which].ear.take() {
                Some(ear) if word => ear.close(),
                Some(ear) => ear.drop_off(),
                None => {}
            },
            Move::Open(which, open) => {
                let task = apps[which].picture.tasks.values().next();
                let conversation = task.map(|task| task["conversation"].clone()).filter(|_| open);
                if let Some(ear) = &apps[which].ear {
                    ear.says(&json!({ "type": "open", "conversation": conversation }));
                }
            }
            Move::Restart => {
                apps.iter_mut().for_each(|app| app.ear = None);
                house.restart().await;
                for app in apps.iter_mut() {
                    app.app = house.caller(&app.app.token);
                }
            }
            Move::Wait(seconds) => house.pass(Duration::from_secs(seconds)).await,
            Move::ComeBack(_) => {}
        }
        house.quiet().await;
    }

    async fn live(moves: &[Move]) {
        let plan = Plan::default().login("max_sessions = 2");
        let (mut house, ears) = (plan.build().await, Ears::new());
        let start = |app| App { app, ear: None, picture: Picture::default() };
        let mut apps = [start(house.app(ADA)), start(house.signs_in(ADA).await)];
        for one in moves {
            if let Move::ComeBack(which) = one {
                apps[*which].comes_back(&house, &ears);
            }
            make(&mut house, &mut apps, one).await;
            apps.iter_mut().for_each(App::catches_up);
        }
        for app in &mut apps {
            app.comes_back(&house, &ears);
        }
        house.quiet().await;
        apps.iter_mut().for_each(App::catches_up);
        for app in &apps {
            is_true(&house, &app.app, &app.picture).await;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, rng_seed: RngSeed::Random, failure_persistence: None, ..ProptestConfig::default() })]

        /// Each event once and in order, or all anew: so that what an app makes of it is what is so.
        #[test]
        fn two_apps_that_come_and_go_at_random_see_what_is_so(moves in prop::collection::vec(a_move(), 10..40)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(live(&moves));
        }
    }
}
