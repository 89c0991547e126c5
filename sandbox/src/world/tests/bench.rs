//! What the tests share: a world with agents, its clock, and requests as a gateway would send them.

use crate::{
    options::{AgentSeed, Options},
    rest::{
        self,
        request::{Answer, Params, Request},
        route::find,
    },
    world::{
        World,
        conversations::{Chat, view::ConversationView},
        sid::Sid,
        words::{ReservationStatus, TaskStatus},
    },
};

pub(super) const ADA: &str = "+4915550101001";
pub(super) const BO: &str = "+4915550101002";
pub(super) const CUSTOMER: &str = "+15550123";
pub(super) const START: u64 = 1_700_000_000_000;

pub(super) struct Bench {
    pub(super) world: World,
    pub(super) now: u64,
}

impl Bench {
    /// Agents of these phones, available on mobile.
    pub(super) fn with(phones: &[&str]) -> Self {
        Self::of(phones, |_| {})
    }

    pub(super) fn of(phones: &[&str], change: impl FnOnce(&mut Options)) -> Self {
        let agents = phones.iter().map(|phone| AgentSeed::new("Agent", phone, "Available on Mobile")).collect();
        let mut options =
            Options { agents, event_callback: Some("http://gateway/events".into()), ..Options::default() };
        change(&mut options);
        Self { world: World::new(&options, START), now: START }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1000;
        self.world.advance(self.now);
    }

    pub(super) fn act<R>(&mut self, act: impl FnOnce(&mut World) -> R) -> R {
        self.world.advance(self.now);
        let result = act(&mut self.world);
        self.world.advance(self.now);
        result
    }

    /// Call and task.
    pub(super) fn customer_calls(&mut self) -> (Sid, Sid) {
        self.act(|world| world.place_call(CUSTOMER))
    }

    pub(super) fn request(&mut self, method: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.request_if(method, path, pairs, None)
    }

    pub(super) fn request_if(&mut self, method: &str, path: &str, pairs: &[(&str, &str)], tag: Option<&str>) -> Answer {
        self.send(Request { if_match: tag.map(str::to_owned), ..request(method, path, pairs) })
    }

    pub(super) fn send(&mut self, request: Request) -> Answer {
        match find(&request.method, &request.path) {
            Ok((operation, variables)) => self.act(|world| rest::answer(world, &request, operation, &variables)),
            Err(refusal) => refusal.into(),
        }
    }

    /// A chat that an Interaction holds.
    pub(super) fn customer_writes(&mut self) -> Chat {
        self.act(|world| world.start_chat(CUSTOMER, "Grace", "Hello?"))
    }

    /// A chat in which the agent at this phone is.
    pub(super) fn chatting(&mut self, phone: &str) -> Chat {
        let chat = self.customer_writes();
        assert_eq!(self.offered_to(&chat.task), phone);
        let reservation = self.reservation(&chat.task);
        assert_eq!(self.update(&chat.task, &reservation, &[("ReservationStatus", "accepted")]).status, 200);
        self.wait(1);
        chat
    }

    pub(super) fn conversation(&self, chat: &Chat) -> ConversationView {
        self.world.snapshot(usize::MAX).conversation(&chat.conversation).cloned().expect("a conversation")
    }

    pub(super) fn channel(&self, chat: &Chat) -> String {
        let (interaction, channel) = chat.interaction.as_ref().expect("an Interaction");
        format!("/v1/Interactions/{interaction}/Channels/{channel}")
    }

    /// The agent's participant of the channel.
    pub(super) fn agent_in_channel(&mut self, chat: &Chat) -> String {
        let participants = format!("{}/Participants", self.channel(chat));
        let listed = self.request("GET", &participants, &[]).body.expect("a list");
        let all = listed["participants"].as_array().expect("participants");
        let agent = all.iter().find(|one| one["type"] == "agent").expect("an agent");
        format!("{participants}/{}", agent["sid"].as_str().expect("a sid"))
    }

    pub(super) fn workspace(&self) -> String {
        format!("/v1/Workspaces/{}", self.world.fixed.workspace)
    }

    pub(super) fn account(&self) -> String {
        format!("/2010-04-01/Accounts/{}", self.world.fixed.account)
    }

    /// The latest reservation of a task.
    pub(super) fn reservation(&self, task: &Sid) -> Sid {
        self.world.reservations_of(task).next_back().map(|row| row.sid.clone()).expect("a reservation")
    }

    pub(super) fn update(&mut self, task: &Sid, reservation: &Sid, pairs: &[(&str, &str)]) -> Answer {
        let path = format!("{}/Tasks/{task}/Reservations/{reservation}", self.workspace());
        self.request("POST", &path, pairs)
    }

    /// Gives the conference instruction as the gateway does.
    pub(super) fn instruct(&mut self, task: &Sid, to: &str) -> Answer {
        let reservation = self.reservation(task);
        self.update(
            task,
            &reservation,
            &[
                ("Instruction", "conference"),
                ("To", to),
                ("From", "+15550100"),
                ("Timeout", "15"),
                ("EndConferenceOnExit", "true"),
                ("EndConferenceOnCustomerExit", "true"),
                ("StatusCallback", "http://gateway/call?call=1&leg=1"),
                ("StatusCallbackEvent", "initiated"),
                ("StatusCallbackEvent", "ringing"),
                ("StatusCallbackEvent", "answered"),
                ("StatusCallbackEvent", "completed"),
                ("ConferenceStatusCallback", "http://gateway/conference"),
                ("ConferenceStatusCallbackEvent", "start end join leave"),
            ],
        )
    }

    /// A customer talks to the agent at this phone.
    pub(super) fn connected(&mut self, phone: &str) -> (Sid, Sid) {
        let (call, task) = self.customer_calls();
        assert_eq!(self.instruct(&task, phone).status, 200);
        self.act(|world| world.phone_answers(phone)).expect("a ringing phone");
        (call, task)
    }

    pub(super) fn task_status(&self, task: &Sid) -> TaskStatus {
        self.world.tasks.get(task).map(|row| row.status).expect("a task")
    }

    /// The states of a task's reservations, the oldest first.
    pub(super) fn reservations(&self, task: &Sid) -> Vec<ReservationStatus> {
        self.world.reservations_of(task).map(|row| row.status).collect()
    }

    pub(super) fn activity(&self, phone: &str) -> String {
        let snapshot = self.world.snapshot(usize::MAX);
        snapshot.agent(phone).map(|agent| agent.activity.clone()).expect("an agent")
    }

    pub(super) fn is_ringing(&self, phone: &str) -> bool {
        self.world.snapshot(usize::MAX).is_ringing(phone)
    }

    pub(super) fn offered_to(&self, task: &Sid) -> String {
        let snapshot = self.world.snapshot(usize::MAX);
        let name = snapshot.reservation_of(task).map(|row| row.worker_name.clone()).expect("a reservation");
        name.trim_start_matches("user-").to_owned()
    }

    /// What was sent since the last look: the event of each webhook, and those parameters of it that are asked for.
    pub(super) fn sent(&mut self, path: &str, names: &[&str]) -> Vec<String> {
        let webhooks = self.world.take_webhooks();
        let wanted = webhooks.iter().filter(|webhook| webhook.url.contains(path));
        wanted
            .map(|webhook| {
                let value = |name: &&str| {
                    let found = webhook.params.iter().find(|(known, _)| known == name);
                    found.map_or("-", |(_, value)| value.as_str())
                };
                names.iter().map(value).collect::<Vec<_>>().join(" ")
            })
            .collect()
    }
}

pub(super) fn request(method: &str, path: &str, pairs: &[(&str, &str)]) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let form = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: Params::parse(query.as_bytes()),
        form: Params(form),
        base: "http://sandbox".to_owned(),
        ..Request::default()
    }
}

pub(super) fn code(answer: &Answer) -> (u16, u64) {
    let code = answer.body.as_ref().and_then(|body| body["code"].as_u64()).unwrap_or_default();
    (answer.status, code)
}
