//! An agent, the model of Twilio, and what lies between them: virtual time, webhooks on their way, REST that fails.

use std::{collections::VecDeque, time::Duration};

use super::mirror::Mirror;
use super::{
    softphones::{Softphone, Softphones},
    twilio::{MOBILE, Phone, Twilio},
};
use crate::agent::{
    Agent, Context, Effect, Input, Notice, Policy,
    command::{Command, Denial},
    duty::Ticket,
    request::{Answer, Failure, Refusal, Request},
};
use crate::call::Stage;
use crate::domain::{
    AgentId, Event, Handled, LegStatus, MessageEvent, Notification, Profile, ReservationStatus, RingTarget,
    SoftphoneLeg, SoftphoneNews, SoftphoneOrder, Timestamp,
};

pub(super) const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What becomes of a REST request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    NotDone,
    /// The answer is lost, the request was carried out.
    UnknownDone,
    /// The answer is lost, the request was not carried out.
    UnknownNotDone,
    Refused(Refusal),
    /// Not carried out, and answered with this.
    Says(Answer),
}

/// What befalls messages between the two.
pub(super) trait Weather {
    /// When a webhook arrives: never, once, or more than once.
    fn deliveries(&mut self, event: &Event, now: Timestamp) -> Vec<Timestamp>;
    /// What becomes of a request, and when its answer is here.
    fn fate(&mut self, request: &Request, now: Timestamp) -> (Fate, Timestamp);
    /// Whether the answer to a question of Twilio's does not arrive.
    fn loses_reply(&mut self) -> bool {
        false
    }
    /// When the softphones' news arrive.
    fn news(&mut self, now: Timestamp) -> Vec<Timestamp> {
        vec![now]
    }
}

type Chooser<T> = Box<dyn Fn(&T) -> bool>;

/// Fine weather, with exceptions that a story scripts.
#[derive(Default)]
pub(super) struct Script {
    fates: VecDeque<(Chooser<Request>, Fate)>,
    pub down_until: Option<Timestamp>,
    lost: Option<Chooser<Event>>,
    withheld: Option<Chooser<Event>>,
    pub mail: Vec<Event>,
    pub twice: bool,
}

impl Weather for Script {
    fn deliveries(&mut self, event: &Event, now: Timestamp) -> Vec<Timestamp> {
        if self.lost.as_ref().is_some_and(|lost| lost(event)) {
            return Vec::new();
        }
        if self.withheld.as_ref().is_some_and(|withheld| withheld(event)) {
            self.mail.push(event.clone());
            return Vec::new();
        }
        vec![now; if self.twice { 2 } else { 1 }]
    }

    fn fate(&mut self, request: &Request, now: Timestamp) -> (Fate, Timestamp) {
        if self.down_until.is_some_and(|until| now < until) {
            return (Fate::NotDone, now);
        }
        let place = self.fates.iter().position(|(which, _)| which(request));
        let fate = place.and_then(|place| self.fates.remove(place)).map_or(Fate::Fine, |(_, fate)| fate);
        (fate, now)
    }
}

pub(super) struct World<W = Script> {
    pub now: Timestamp,
    pub twilio: Twilio,
    pub softphones: Softphones,
    news: Vec<(Timestamp, SoftphoneLeg, SoftphoneNews)>,
    pub agent: Agent,
    pub profile: Profile,
    pub policy: Policy,
    pub weather: W,
    deliveries: Vec<(Timestamp, Event)>,
    answers: Vec<(Timestamp, Ticket, Result<Answer, Failure>)>,
    pub requests: Vec<(Timestamp, Request)>,
    pub notices: Vec<Notice>,
    pub pushed: Vec<(Timestamp, Notification)>,
    pub handled: Vec<Handled>,
    /// Somebody who looks on since the first turn of this life; none: it is still to come.
    pub mirror: Option<Mirror>,
}

pub(super) fn profile() -> Profile {
    Profile {
        id: AgentId::from_bits(7),
        phone: "+15550100".parse().unwrap(),
        name: "Ada".into(),
        email: None,
        roles: std::collections::BTreeSet::new(),
        department: None,
        worker_sid: None,
        worker_name: "user-+15550100".into(),
        ring_plan: Some(vec![RingTarget::Pstn]),
        sip_username: None,
        sip_secret: None,
        can_manage_agents: false,
        disabled: false,
        created_at: NOON,
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::under(Script::default())
    }

    /// The next requests of this kind end like this, once each.
    pub(super) fn fate(&mut self, which: impl Fn(&Request) -> bool + 'static, fate: Fate) -> &mut Self {
        self.weather.fates.push_back((Box::new(which), fate));
        self
    }

    pub(super) fn lose(&mut self, which: impl Fn(&Event) -> bool + 'static) -> &mut Self {
        self.weather.lost = Some(Box::new(which));
        self
    }

    pub(super) fn withhold(&mut self, which: impl Fn(&Event) -> bool + 'static) -> &mut Self {
        self.weather.withheld = Some(Box::new(which));
        self
    }

    /// What was withheld, which from now on is not.
    pub(super) fn mail(&mut self) -> Vec<Event> {
        self.weather.withheld = None;
        std::mem::take(&mut self.weather.mail)
    }

    pub(super) fn deliver(&mut self, events: impl IntoIterator<Item = Event>) -> &mut Self {
        for event in events {
            self.handle(&Given::Event(Box::new(event)));
        }
        self.settle()
    }
}

/// An input that owns what it holds.
enum Given {
    Event(Box<Event>),
    Answer(Ticket, Result<Answer, Failure>),
    SetActivity(&'static str),
    News(SoftphoneLeg, SoftphoneNews),
    Tick,
}

impl<W: Weather> World<W> {
    pub(super) fn under(weather: W) -> Self {
        let profile = profile();
        Self {
            now: NOON,
            twilio: Twilio::new(NOON),
            softphones: Softphones::new(NOON),
            news: Vec::new(),
            agent: Agent::new(&profile),
            profile,
            policy: Policy::default(),
            weather,
            deliveries: Vec::new(),
            answers: Vec::new(),
            requests: Vec::new(),
            notices: Vec::new(),
            pushed: Vec::new(),
            handled: Vec::new(),
            mirror: None,
        }
    }

    // What people do.

    pub(super) fn customer_calls(&mut self) -> usize {
        let task = self.twilio.new_task("voice", "{}");
        self.settle();
        task
    }

    /// A customer writes for the first time.
    pub(super) fn customer_writes(&mut self) -> usize {
        let task = self.twilio.new_chat(false);
        self.settle();
        task
    }

    /// Somebody writes in a chat.
    pub(super) fn writes(&mut self, chat: usize, author: &str) -> u64 {
        let index = self.twilio.write(chat, author);
        self.settle();
        index
    }

    /// What the agent taps.
    pub(super) fn tap(&mut self, command: Command) -> Result<(), Denial> {
        let context = Self::context(&self.policy, &self.twilio, self.now);
        let (done, effects) = self.agent.command(command, &context);
        self.carry_out(effects);
        self.settle();
        done
    }

    pub(super) fn customer_hangs_up(&mut self, task: usize) -> &mut Self {
        self.twilio.customer_hangs_up(task);
        self.settle()
    }

    pub(super) fn phone(&mut self, does: Phone) -> &mut Self {
        self.twilio.phone = does;
        self
    }

    /// Whoever answers the cell phone is asked.
    pub(super) fn that_asks(mut self) -> Self {
        self.policy.asks = true;
        self
    }

    /// The agent has softphones, and they are rung before the cell phone.
    pub(super) fn with_softphones(mut self, does: Softphone) -> Self {
        self.profile.ring_plan = Some(vec![RingTarget::Sip, RingTarget::Pstn]);
        self.policy.sip_ring = Some(Duration::from_secs(20));
        self.softphones.does = does;
        self.agent = Agent::new(&self.profile);
        self
    }

    pub(super) fn agent_takes_softphone(&mut self) -> &mut Self {
        self.softphones.answer();
        self.settle()
    }

    pub(super) fn agent_answers(&mut self) -> &mut Self {
        let leg = self.twilio.legs.iter().position(super::twilio::Leg::rings).unwrap();
        self.twilio.answer(leg);
        self.settle()
    }

    pub(super) fn agent_hangs_up(&mut self) -> &mut Self {
        for leg in 0..self.twilio.legs.len() {
            if self.twilio.legs[leg].ticket.is_none() {
                self.twilio.hang_up(leg);
            }
        }
        self.softphones.hang_up();
        self.settle()
    }

    pub(super) fn agent_picks(&mut self, activity: &'static str) -> &mut Self {
        self.handle(&Given::SetActivity(activity));
        self.settle()
    }

    pub(super) fn desk_picks(&mut self, activity: &'static str) -> &mut Self {
        self.twilio.set_activity(activity);
        self.settle()
    }

    pub(super) fn at_desk(&mut self, task: usize, status: ReservationStatus) -> &mut Self {
        self.twilio.at_desk(task, status);
        self.settle()
    }

    /// An administrator changes the profile.
    pub(super) fn profile_is(&mut self, change: impl FnOnce(&mut Profile)) -> &mut Self {
        change(&mut self.profile);
        let profile = self.profile.clone();
        self.input(&Input::Profile { profile: &profile, other_worker: false })
    }

    /// What an agent who is removed has still to say, and nobody hears the answers to.
    pub(super) fn take_leave(&mut self) -> &mut Self {
        let context = Self::context(&self.policy, &self.twilio, self.now);
        let (orders, requests) = self.agent.clone().take_leave(&context);
        orders.iter().for_each(|order| self.order(order));
        for request in requests {
            // Whatever Twilio says to it.
            let _ = self.twilio.perform(&request);
        }
        self.settle()
    }

    // Time.

    pub(super) fn pass(&mut self, time: Duration) -> &mut Self {
        self.run_until(self.now + time);
        self
    }

    pub(super) fn secs(&mut self, seconds: u64) -> &mut Self {
        self.pass(Duration::from_secs(seconds))
    }

    fn settle(&mut self) -> &mut Self {
        self.run_until(self.now);
        self
    }

    fn next(&self) -> Option<Timestamp> {
        let deliveries = self.deliveries.iter().map(|(at, _)| *at);
        let answers = self.answers.iter().map(|(at, ..)| *at);
        let news = self.news.iter().map(|(at, ..)| *at);
        let models = self.twilio.next().into_iter().chain(self.softphones.next());
        deliveries.chain(answers).chain(news).chain(self.agent.due()).chain(models).min()
    }

    pub(super) fn run_until(&mut self, end: Timestamp) {
        let mut steps = 0;
        self.collect();
        while let Some(next) = self.next().filter(|next| *next <= end) {
            steps += 1;
            assert!(steps < 100_000, "the agent does not come to rest");
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
        self.advance();
    }

    /// The models go on, and what lies between them happens.
    fn advance(&mut self) {
        self.twilio.advance(self.now);
        self.softphones.advance(self.now);
        self.wire();
        self.answer_questions();
        self.collect();
    }

    /// Twilio asks how a call goes on, and is answered at once, unless the answer is lost.
    fn answer_questions(&mut self) {
        while !self.twilio.asking.is_empty() {
            for (leg, key) in std::mem::take(&mut self.twilio.asking) {
                let pick_up = self.twilio.pick_up(leg, key);
                let context = Self::context(&self.policy, &self.twilio, self.now);
                let (reply, effects) = self.agent.pick_up(&pick_up, &context);
                self.carry_out(effects);
                let lost = self.weather.loses_reply();
                self.twilio.replied(leg, (!lost).then_some(reply));
            }
        }
    }

    /// SIP between Twilio and the gateway: the INVITE with a ticket, and the BYEs.
    fn wire(&mut self) {
        let Self { twilio, softphones, .. } = self;
        for leg in std::mem::take(&mut twilio.inviting) {
            let Some(ticket) = twilio.legs[leg].ticket.clone().filter(|_| twilio.legs[leg].rings()) else { continue };
            if softphones.admit(&ticket) {
                twilio.answer(leg);
            } else {
                twilio.leg_fails(leg, LegStatus::Failed);
            }
        }
        for leg in 0..twilio.legs.len() {
            let Some(ticket) = twilio.legs[leg].ticket.clone() else { continue };
            if twilio.legs[leg].status.is_final() {
                softphones.twilio_hung_up(&ticket);
            } else if softphones.ended.contains(ticket.expose()) {
                twilio.hang_up(leg);
            }
        }
    }

    fn step(&mut self) {
        self.advance();
        let now = self.now;
        let event = self.deliveries.iter().enumerate().filter(|(_, (at, _))| *at <= now).min_by_key(|(_, (at, _))| *at);
        if let Some(place) = event.map(|(place, _)| place) {
            let (_, event) = self.deliveries.remove(place);
            return self.handle(&Given::Event(Box::new(event)));
        }
        if let Some(place) = self.answers.iter().position(|(at, ..)| *at <= now) {
            let (_, ticket, result) = self.answers.remove(place);
            return self.handle(&Given::Answer(ticket, result));
        }
        if let Some(place) = self.news.iter().position(|(at, ..)| *at <= now) {
            let (_, leg, news) = self.news.remove(place);
            return self.handle(&Given::News(leg, news));
        }
        if self.agent.due().is_some_and(|due| due <= now) {
            self.handle(&Given::Tick);
        }
    }

    /// Puts what Twilio sends on its way.
    fn collect(&mut self) {
        for event in std::mem::take(&mut self.twilio.sent) {
            for at in self.weather.deliveries(&event, self.now) {
                self.deliveries.push((at, event.clone()));
            }
        }
        for (leg, news) in std::mem::take(&mut self.softphones.told) {
            for at in self.weather.news(self.now) {
                self.news.push((at, leg, news.clone()));
            }
        }
    }

    fn context<'a>(policy: &'a Policy, twilio: &'a Twilio, now: Timestamp) -> Context<'a> {
        Context { now, policy, reservation_timeout: twilio.reservation_timeout, unavailable: &twilio.unavailable }
    }

    /// The directory keeps away what happens in conversations that the agent is not in.
    fn concerns_the_agent(&self, event: &Event) -> bool {
        let Event::Message(MessageEvent { conversation, .. }) = event else { return true };
        self.agent.conversations().any(|known| known == conversation) || self.twilio.is_in(conversation)
    }

    fn handle(&mut self, given: &Given) {
        if matches!(given, Given::Event(event) if !self.concerns_the_agent(event)) {
            return;
        }
        let context = Self::context(&self.policy, &self.twilio, self.now);
        let input = match given {
            Given::Event(event) => Input::Event(event),
            Given::Answer(ticket, result) => Input::Answer { ticket: *ticket, result: result.clone() },
            Given::SetActivity(name) => Input::SetActivity((*name).into()),
            Given::News(leg, news) => Input::Softphones { leg: *leg, news },
            Given::Tick => Input::Tick,
        };
        let effects = self.agent.handle(input, &context);
        self.carry_out(effects);
    }

    pub(super) fn input(&mut self, input: &Input<'_>) -> &mut Self {
        let context = Self::context(&self.policy, &self.twilio, self.now);
        let effects = self.agent.handle(input.clone(), &context);
        self.carry_out(effects);
        self.settle()
    }

    /// The process dies and starts again: what was on its way to or from it is lost, but for the inbox.
    pub(super) fn restart(&mut self) -> &mut Self {
        self.softphones.die(false);
        self.revive()
    }

    /// The process is told to end, and starts again.
    pub(super) fn stop_and_start(&mut self) -> &mut Self {
        self.softphones.die(true);
        self.wire();
        self.collect();
        self.revive()
    }

    /// The agent's actor dies, and its process lives on.
    pub(super) fn actor_dies(&mut self) -> &mut Self {
        self.revive()
    }

    fn revive(&mut self) -> &mut Self {
        self.answers.clear();
        let alive = self.softphones.live();
        if alive.is_empty() {
            self.news.clear();
        }
        self.agent.forget_the_moment();
        let record: Agent = serde_json::from_slice(&serde_json::to_vec(&self.agent).unwrap()).unwrap();
        assert_eq!(record, self.agent);
        let context = Self::context(&self.policy, &self.twilio, self.now);
        let (agent, effects) = Agent::restore(record, &self.profile, &alive, &context);
        self.agent = agent;
        self.mirror = None;
        self.carry_out(effects);
        self.settle()
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        assert!(self.agent.due().is_none_or(|due| due > self.now), "due in the past: {:#?}", self.agent);
        match &mut self.mirror {
            Some(mirror) => mirror.look(&self.agent, &effects),
            None => self.mirror = Some(Mirror::of(&self.agent)),
        }
        for effect in effects {
            match effect {
                Effect::Tell(notice) => self.notices.push(notice),
                Effect::Rest { ticket, request } => self.send(ticket, request),
                Effect::Push(notification) => self.pushed.push((self.now, notification)),
                Effect::Handled(task) => self.handled.push(task),
                Effect::Softphones(order) => self.order(&order),
                Effect::Said(_) => {}
            }
        }
    }

    fn order(&mut self, order: &SoftphoneOrder) {
        self.softphones.now = self.now;
        self.softphones.order(order);
        self.wire();
        self.collect();
    }

    fn send(&mut self, ticket: Ticket, request: Request) {
        let (fate, at) = self.weather.fate(&request, self.now);
        let mut perform = || self.twilio.perform(&request).map_err(Failure::Refused);
        let result = match fate {
            Fate::Fine => perform(),
            Fate::NotDone => Err(Failure::NotDone { retry_after: None }),
            Fate::UnknownNotDone => Err(Failure::Unknown),
            Fate::UnknownDone => {
                let _ = perform();
                Err(Failure::Unknown)
            }
            Fate::Refused(refusal) => Err(Failure::Refused(refusal)),
            Fate::Says(answer) => Ok(answer),
        };
        self.requests.push((self.now, request));
        self.answers.push((at, ticket, result));
        self.collect();
    }

    // What can be seen.

    pub(super) fn stage(&self) -> Option<Stage> {
        self.agent.snapshot().call
    }

    /// The task's newest reservation, at Twilio.
    pub(super) fn status(&self, task: usize) -> ReservationStatus {
        self.twilio.reservations.iter().rev().find(|one| one.task == task).unwrap().status
    }

    pub(super) fn assignments(&self, task: usize) -> u32 {
        self.twilio.tasks[task].assignments
    }

    pub(super) fn rings(&self) -> bool {
        self.twilio.legs.iter().any(super::twilio::Leg::rings)
    }

    pub(super) fn count(&self, which: impl Fn(&Request) -> bool) -> usize {
        self.requests.iter().filter(|(_, request)| which(request)).count()
    }

    pub(super) fn told(&self, notice: &Notice) -> usize {
        self.notices.iter().filter(|one| *one == notice).count()
    }

    pub(super) fn is_on_mobile(&self) -> bool {
        self.twilio.activity == MOBILE
    }
}

pub(super) fn instruct(request: &Request) -> bool {
    matches!(request, Request::Instruct(_))
}

pub(super) fn reject(request: &Request) -> bool {
    matches!(request, Request::Reject(_))
}

pub(super) fn close(request: &Request) -> bool {
    matches!(request, Request::Close { .. })
}

pub(super) fn set_activity(request: &Request) -> bool {
    matches!(request, Request::SetActivity { .. })
}

pub(super) fn of_leg(event: &Event) -> bool {
    matches!(event, Event::Leg(_))
}

pub(super) fn of_reservation(event: &Event) -> bool {
    matches!(event, Event::Reservation(_))
}
