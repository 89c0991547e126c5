//! What an app is told.

/// The client is PyPI's.
mod with_python {
    use std::time::Duration;

    use reqwest::Method;
    use serde_json::{Value, json};

    use crate::{
        events::client::{Ear, Ears},
        house::{ADA, AgentApp, BOB, CUSTOMER, House, MOBILE, Plan},
    };

    fn types(frames: &[Value]) -> Vec<&str> {
        frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
    }

    /// Ada is in a chat; answers its conversation.
    async fn chatting(house: &House, app: &AgentApp) -> offdesk_sandbox::Sid {
        let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
        house.quiet().await;
        let offer = house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
        assert_eq!(house.meanwhile(app.accept(&offer)).await.status, 200);
        house.pass(Duration::from_secs(2)).await;
        chat.conversation_sid
    }

    async fn customer_says(house: &House, conversation: &offdesk_sandbox::Sid, text: &str) {
        house.twilio.customer_says(conversation, text).unwrap();
        house.quiet().await;
    }

    #[tokio::test]
    async fn a_chat_is_seen_from_its_offer_to_its_end() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let app = house.app(ADA);
        let ear = ears.open(&house, &app, None);
        let first = ear.frame();
        assert_eq!((&first["type"], &first["tasks"], &first["call"]), (&json!("snapshot"), &json!([]), &Value::Null));
        assert_eq!(first["choices"], json!(["Available on Mobile", "Break", "Offline"]));
        let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
        let offered = ear.next("task.offered");
        assert_eq!(offered["task"]["customer"]["name"], "Maria");
        house.quiet().await;
        let task = offered["task"]["sid"].as_str().unwrap().to_owned();
        assert_eq!(house.meanwhile(app.accept(&task.as_str().into())).await.status, 200);
        assert_eq!(ear.next("task.updated")["task"]["status"], "connecting");
        assert_eq!(ear.next("task.updated")["task"]["status"], "accepted");
        house.pass(Duration::from_secs(2)).await;
        ear.so_far();
        customer_says(&house, &chat.conversation_sid, "are you there?").await;
        let message = ear.frame();
        assert_eq!((&message["type"], &message["message"]["body"]), (&json!("message"), &json!("are you there?")));
        assert_eq!(
            (&message["message"]["mine"], &message["conversation"]),
            (&json!(false), &json!(chat.conversation_sid.as_str()))
        );
        let unread = ear.frame();
        assert_eq!((&unread["type"], &unread["unread"], &unread["total"]), (&json!("unread"), &json!(1), &json!(1)));
        assert_eq!(app.says(&chat.conversation_sid, "yes").await.status, 201);
        house.quiet().await;
        let mut mine = ear.so_far();
        // Its webhook knows the message's time more finely.
        mine.retain(|frame| frame["type"] != "task.updated");
        assert_eq!((types(&mine), &mine[0]["message"]["mine"]), (vec!["message", "unread"], &json!(true)));
        app.complete(&task.as_str().into()).await;
        house.pass(Duration::from_secs(3)).await;
        let closed = ear.next("task.closed");
        assert_eq!((&closed["task"]["sid"], &closed["why"]), (&json!(task), &json!("completed")));
    }

    #[tokio::test]
    async fn events_are_numbered_without_a_gap_and_the_same_for_all_sessions() {
        let (house, ears) = (Plan::default().login("max_sessions = 2").build().await, Ears::new());
        let (one, two) = (house.app(ADA), house.signs_in(ADA).await);
        let (first, second) = (ears.open(&house, &one, None), ears.open(&house, &two, None));
        let start = first.frame()["seq"].as_u64().unwrap();
        assert_eq!(second.frame()["seq"], start);
        let conversation = chatting(&house, &one).await;
        for text in ["one", "two", "three"] {
            customer_says(&house, &conversation, text).await;
        }
        let (told, same) = (first.so_far(), second.so_far());
        assert_eq!(told, same);
        let numbers: Vec<_> = told.iter().map(|frame| frame["seq"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (start + 1..).take(numbers.len()).collect::<Vec<_>>());
        assert!(numbers.len() >= 9, "{told:?}");
    }

    #[tokio::test]
    async fn what_is_open_is_not_unread_until_its_app_is_gone() {
        let (house, ears) = (Plan::default().with_devices().build().await, Ears::new());
        let app = house.app(ADA);
        let conversation = chatting(&house, &app).await;
        let ear = ears.open(&house, &app, None);
        ear.frame();
        ear.says(&json!({ "type": "open", "conversation": conversation.as_str() }));
        // A ping is answered behind what was said before.
        assert!(ear.ping());
        customer_says(&house, &conversation, "seen at once").await;
        assert_eq!((ear.types(), app.unread(&conversation).await), (vec!["message".to_owned()], 0));
        assert!(house.notified(ADA, "message").is_empty());
        ear.says(&json!({ "type": "open", "conversation": null }));
        assert!(ear.ping());
        customer_says(&house, &conversation, "not seen").await;
        assert_eq!(app.unread(&conversation).await, 1);
        ear.says(&json!({ "type": "open", "conversation": conversation.as_str() }));
        assert!(ear.ping());
        ear.close();
        house.quiet().await;
        assert_eq!(app.unread(&conversation).await, 0, "opening reads what is there");
        // That a connection is gone is known as soon as its task has run.
        for _ in 0..100 {
            customer_says(&house, &conversation, "is anybody there?").await;
            if app.unread(&conversation).await > 0 {
                break;
            }
        }
        assert!(app.unread(&conversation).await > 0 && !house.notified(ADA, "message").is_empty());
    }

    #[tokio::test]
    async fn calls_and_activities_are_told() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let app = house.app(ADA);
        let ear = ears.open(&house, &app, None);
        ear.frame();
        house.customer_calls().await;
        assert_eq!(ear.next("call")["call"]["stage"], "connecting");
        house.rings(ADA).await;
        assert_eq!(ear.next("call")["call"]["stage"], "ringing");
        house.answers(ADA).await;
        assert_eq!(ear.next("call")["call"]["stage"], "talking");
        house.hangs_up(ADA).await;
        house.pass(Duration::from_secs(10)).await;
        assert_eq!(ear.so_far().iter().rfind(|frame| frame["type"] == "call").unwrap()["call"], Value::Null);
        let chosen = house.meanwhile(app.call(Method::PUT, "/me/activity", Some(json!({ "activity": "Break" })))).await;
        assert_eq!(chosen.status, 200);
        let changing = ear.next("activity");
        assert_eq!((&changing["activity"], &changing["changing"]), (&json!(MOBILE), &json!(true)));
        let changed = ear.so_far().pop().unwrap();
        assert_eq!((&changed["activity"], &changed["changing"]), (&json!("Break"), &json!(false)));
    }

    #[tokio::test]
    async fn a_session_that_is_superseded_hears_so_and_is_closed_at_once() {
        let (house, ears) = (Plan::of_two().build().await, Ears::new());
        let (old, other) = (ears.open(&house, &house.app(ADA), None), ears.open(&house, &house.app(BOB), None));
        let seq = old.frame()["seq"].clone();
        other.frame();
        let new = house.signs_in(ADA).await;
        let superseded = old.frame();
        assert_eq!((&superseded["type"], &superseded["seq"]), (&json!("session.superseded"), &seq));
        assert_eq!(old.end(), (4401, "superseded".to_owned()));
        let headers = json!({ "Authorization": format!("Bearer {}", house.app(ADA).token) });
        assert_eq!(ears.try_open(&house, "", &headers).err(), Some((401, "superseded".to_owned())));
        assert_eq!(ears.open(&house, &new, None).frame()["type"], "snapshot");
        assert_eq!(other.so_far(), Vec::<Value>::new());
        assert!(other.ping());
    }

    #[tokio::test]
    async fn signing_out_and_expiry_close_too() {
        let (house, ears) =
            (Plan::of_two().login("session_max_age = \"1h\"\nsession_ttl = \"1h\"").build().await, Ears::new());
        let (ada, bob) = (house.app(ADA), house.app(BOB));
        let (ear, other) = (ears.open(&house, &ada, None), ears.open(&house, &bob, None));
        assert_eq!(ada.post("/logout", json!({})).await.status, 204);
        assert_eq!(ear.end(), (4401, "no_session".to_owned()));
        other.frame();
        house.away(Duration::from_secs(3600));
        assert_eq!(other.end().0, 4401);
    }

    #[tokio::test]
    async fn at_a_drain_connections_are_told_to_come_back() {
        let (mut house, ears) = (Plan::default().build().await, Ears::new());
        let ear = ears.open(&house, &house.app(ADA), None);
        ear.frame();
        house.stop();
        assert_eq!(ear.end().0, 1012);
    }

    #[tokio::test]
    async fn a_client_of_whom_nothing_is_heard_is_let_go_and_one_that_answers_pings_stays() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let ear = ears.open(&house, &house.app(ADA), None);
        ear.frame();
        for _ in 0..20 {
            house.pass(Duration::from_secs(15)).await;
            assert!(ear.ping());
        }
        // The clock jumps: no pong can have come in between.
        for _ in 0..3 {
            house.away(Duration::from_secs(60));
        }
        assert_eq!(ear.end(), (4408, "nothing was heard of you".to_owned()));
    }

    #[tokio::test]
    async fn of_one_agents_connections_the_newest_eight_stay() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let app = house.app(ADA);
        let opened: Vec<Ear<'_>> = (0..9).map(|_| ears.open(&house, &app, None)).collect();
        assert_eq!(opened[0].end().0, 4409);
        assert!(opened[1..].iter().all(|ear| ear.frame()["type"] == "snapshot" && ear.ping()));
    }

    #[tokio::test]
    async fn the_cookie_needs_the_apps_own_origin_and_nobody_comes_in_without_a_session() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let (token, own) = (house.app(ADA).token, format!("http://{}", house.ready.http));
        let cookie = format!("offdesk={token}");
        for origin in ["http://evil.example", "null", ""] {
            let headers = json!({ "Cookie": cookie, "Origin": origin });
            assert_eq!(ears.try_open(&house, "", &headers).err(), Some((403, "foreign_origin".to_owned())), "{origin}");
        }
        let without = json!({ "Cookie": cookie });
        assert_eq!(ears.try_open(&house, "", &without).err(), Some((403, "foreign_origin".to_owned())));
        let ear = ears.try_open(&house, "", &json!({ "Cookie": cookie, "Origin": own })).unwrap();
        assert_eq!(ear.frame()["type"], "snapshot");
        assert_eq!(ears.try_open(&house, "", &json!({})).err(), Some((401, "no_session".to_owned())));
        let bearer = json!({ "Authorization": format!("Bearer {token}") });
        for query in ["?after=x", "?after=-1", "?after=99999999999999999999"] {
            assert_eq!(ears.try_open(&house, query, &bearer).err(), Some((422, "invalid".to_owned())), "{query}");
        }
        let plain = house.app(ADA).get("/events").await;
        assert_eq!((plain.status, plain.code()), (400, "malformed"));
    }

    /// As it is when the end of the agent's sessions did not get to the disk.
    #[tokio::test]
    async fn whoever_is_disabled_does_not_look_on_although_the_session_lives() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let ear = ears.open(&house, &house.app(ADA), None);
        ear.frame();
        house.disables_in_the_book(1).await;
        house.pass(Duration::from_secs(20)).await;
        assert_eq!(ear.end(), (4401, "no_session".to_owned()));
    }

    #[tokio::test]
    async fn an_agent_that_is_looked_at_stays_in_memory() {
        let (house, ears) = (Plan::default().build().await, Ears::new());
        let ear = ears.open(&house, &house.app(ADA), None);
        let seq = ear.frame()["seq"].as_u64().unwrap();
        for _ in 0..80 {
            house.pass(Duration::from_secs(15)).await;
            assert!(ear.ping());
        }
        assert_eq!(ear.so_far(), Vec::<Value>::new(), "it was not shown anew");
        house.customer_calls().await;
        assert_eq!(ear.frame()["seq"], seq + 1);
    }
}
