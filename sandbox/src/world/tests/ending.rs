//! What ends a chat, and what merely ends an agent's part in it.

use super::bench::{ADA, BO, Bench, CUSTOMER, code};
use crate::world::words::{
    ChannelStatus, ConversationState,
    ReservationStatus::{self, Accepted, Completed, Wrapping},
};

const IDENTITY: &str = "user_2D_2B4915550101001";

#[test]
fn closing_the_channel_ends_the_conversation_and_the_agents_part_in_it() {
    let routings: [(&[(&str, &str)], ReservationStatus); 3] = [
        (&[], Wrapping),
        (&[("Routing", r#"{"status":"wrapup"}"#)], Wrapping),
        (&[("Routing", r#"{"status":"closed"}"#)], Completed),
    ];
    for (routing, after) in routings {
        let mut bench = Bench::with(&[ADA]);
        let chat = bench.chatting(ADA);
        let form = [&[("Status", "closed")], routing].concat();
        let answer = bench.request("POST", &bench.channel(&chat), &form);
        assert_eq!(answer.body.expect("a body")["status"], "closed");
        let conversation = bench.conversation(&chat);
        assert_eq!((conversation.state, conversation.orphaned), (ConversationState::Closed, false));
        assert!(conversation.participant(IDENTITY).is_none());
        assert_eq!(bench.reservations(&chat.task), [after]);
        assert_eq!(bench.request("POST", &bench.channel(&chat), &form).status, 200, "closing again changes nothing");
        assert_eq!(bench.reservations(&chat.task), [after]);
    }
}

#[test]
fn a_reservation_that_wraps_up_after_its_chat_is_completed_by_itself() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    bench.request("POST", &bench.channel(&chat), &[("Status", "closed")]);
    let reservation = bench.reservation(&chat.task);
    assert_eq!(bench.update(&chat.task, &reservation, &[("ReservationStatus", "completed")]).status, 200);
    assert!(!bench.conversation(&chat).orphaned);
}

#[test]
fn closing_one_participant_lets_that_agent_go_and_keeps_the_conversation_open() {
    for (status, after) in [("wrapup", Wrapping), ("closed", Completed)] {
        let mut bench = Bench::with(&[ADA]);
        let chat = bench.chatting(ADA);
        bench.act(|world| world.supervisor_joins(&chat.conversation, "supervisor")).expect("it is open");
        let agent = bench.agent_in_channel(&chat);
        assert_eq!(bench.request("POST", &agent, &[("Status", status)]).status, 200);
        assert_eq!(bench.reservations(&chat.task), [after]);
        let conversation = bench.conversation(&chat);
        assert_eq!((conversation.state, conversation.orphaned), (ConversationState::Active, false));
        assert!(conversation.participant(IDENTITY).is_none() && conversation.participant("supervisor").is_some());
        assert_eq!(bench.request("POST", &agent, &[("Status", "closed")]).status, 200);
        assert_eq!(bench.reservations(&chat.task), [Completed], "who has left can still complete");
        assert!(!bench.conversation(&chat).orphaned);
    }
}

#[test]
fn finishing_the_work_behind_the_interactions_back_orphans_the_conversation() {
    for (of_task, status) in [(true, "wrapping"), (true, "completed"), (false, "wrapping"), (false, "completed")] {
        let mut bench = Bench::with(&[ADA]);
        let chat = bench.chatting(ADA);
        let reservation = bench.reservation(&chat.task);
        let answer = if of_task {
            let path = format!("{}/Tasks/{}", bench.workspace(), chat.task);
            bench.request("POST", &path, &[("AssignmentStatus", status)])
        } else {
            bench.update(&chat.task, &reservation, &[("ReservationStatus", status)])
        };
        assert_eq!(answer.status, 200);
        let conversation = bench.conversation(&chat);
        let channel = conversation.channel.as_ref().map(|channel| channel.status);
        assert_eq!((conversation.state, channel), (ConversationState::Active, Some(ChannelStatus::Active)));
        assert!(conversation.orphaned && conversation.participant(IDENTITY).is_some());
        bench.request("POST", &bench.channel(&chat), &[("Status", "closed")]);
        assert!(!bench.conversation(&chat).orphaned, "what is closed needs nobody");
    }
}

#[test]
fn a_chat_that_nobody_takes_is_orphaned_when_its_task_is_cancelled() {
    let mut bench = Bench::of(&[ADA], |options| options.max_assignments = 1);
    let chat = bench.customer_writes();
    let reservation = bench.reservation(&chat.task);
    bench.update(&chat.task, &reservation, &[("ReservationStatus", "rejected")]);
    assert!(bench.conversation(&chat).orphaned);
}

#[test]
fn when_the_conversation_is_closed_otherwise_its_agent_wraps_up() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    let path = format!("/v1/Conversations/{}", chat.conversation);
    assert_eq!(bench.request("POST", &path, &[("State", "closed")]).status, 200);
    assert_eq!(bench.reservations(&chat.task), [Wrapping]);
    let channel = bench.conversation(&chat).channel.map(|channel| channel.status);
    assert_eq!(channel, Some(ChannelStatus::Closed));
}

#[test]
fn a_conversation_put_aside_is_offered_anew_when_the_customer_writes_again() {
    let mut bench = Bench::with(&[ADA, BO]);
    let chat = bench.chatting(ADA);
    let form = [("Status", "inactive"), ("Routing", r#"{"status":"closed"}"#)];
    assert_eq!(bench.request("POST", &bench.channel(&chat), &form).status, 200);
    assert_eq!(bench.conversation(&chat).state, ConversationState::Inactive);
    bench.act(|world| world.customer_says(&chat.conversation, "One more thing")).expect("it is not closed");
    let conversation = bench.conversation(&chat);
    let task = conversation.task_sid.expect("a task");
    assert_eq!((conversation.state, task == chat.task), (ConversationState::Active, false));
    assert_eq!(bench.offered_to(&task), BO);
}

#[test]
fn a_message_does_not_offer_a_conversation_again_that_still_has_its_agent() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    bench.request("POST", &format!("/v1/Conversations/{}", chat.conversation), &[("State", "inactive")]);
    bench.act(|world| world.customer_says(&chat.conversation, "Still there?")).expect("it is not closed");
    let conversation = bench.conversation(&chat);
    assert_eq!((conversation.state, conversation.task_sid), (ConversationState::Active, Some(chat.task.clone())));
    assert_eq!(bench.reservations(&chat.task), [Accepted]);
}

#[test]
fn a_plain_chat_is_closed_with_its_task() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.act(|world| world.start_plain_chat(CUSTOMER, "Grace", "Hello?"));
    let reservation = bench.reservation(&chat.task);
    bench.update(&chat.task, &reservation, &[("ReservationStatus", "accepted")]);
    bench.update(&chat.task, &reservation, &[("ReservationStatus", "wrapping")]);
    assert_eq!(bench.conversation(&chat).state, ConversationState::Active);
    bench.update(&chat.task, &reservation, &[("ReservationStatus", "completed")]);
    let conversation = bench.conversation(&chat);
    assert_eq!((conversation.state, conversation.orphaned), (ConversationState::Closed, false));
}

#[test]
fn a_customer_who_leaves_leaves_the_conversation_open() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    bench.act(|world| world.customer_leaves(&chat.conversation)).expect("the customer is there");
    assert_eq!(
        (bench.conversation(&chat).state, bench.reservations(&chat.task)),
        (ConversationState::Active, vec![Accepted])
    );
    assert!(bench.act(|world| world.customer_says(&chat.conversation, "Hello?")).is_err());
}

#[test]
fn a_channel_is_refused_what_it_cannot_become() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    let refused: [&[(&str, &str)]; 4] = [
        &[],
        &[("Status", "wrapup")],
        &[("Status", "active")],
        &[("Status", "closed"), ("Routing", r#"{"status":"accepted"}"#)],
    ];
    for form in refused {
        assert_eq!(code(&bench.request("POST", &bench.channel(&chat), form)), (400, 20001), "{form:?}");
    }
    let other = bench.customer_writes();
    let (interaction, _) = chat.interaction.as_ref().expect("an Interaction");
    let (_, channel) = other.interaction.as_ref().expect("an Interaction");
    let path = format!("/v1/Interactions/{interaction}/Channels/{channel}");
    assert_eq!(bench.request("GET", &path, &[]).status, 404, "a channel is found in its own Interaction");
}
