//! Who works in the sandbox: agents and a supervisor with phones, devices and an app that is signed in.

use std::io;

use offdesk_sandbox::{AgentSeed, Handle};
use secrecy::{ExposeSecret, SecretString};

use super::super::Failure;
use crate::{
    actors::Devices,
    clock::Clock,
    config::Config,
    domain::{AgentId, Device, DeviceId, Profile, PushTarget, Role, SessionId, SipPassword, Wishes},
    roster::{Draft, FieldError, draw_password, put_password},
    sessions,
    store::{self, Batch, StoreHandle, wait},
};

const MOBILE: &str = "Available on Mobile";
const OFFLINE: &str = "Offline";
/// Where all of them work: the supervisor manages the agents.
const DEPARTMENT: &str = "Front desk";

/// Numbers of the range that is kept free for fiction.
pub(super) const PEOPLE: [Person; 3] = [
    Person { name: "Ada Okafor", phone: "+12025550101", role: Role::Agent, activity: MOBILE, sip_user: "ada" },
    Person { name: "Ben Lindqvist", phone: "+12025550102", role: Role::Agent, activity: OFFLINE, sip_user: "ben" },
    Person { name: "Sam Rivera", phone: "+12025550109", role: Role::Supervisor, activity: OFFLINE, sip_user: "sam" },
];

pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) phone: &'static str,
    pub(super) role: Role,
    pub(super) activity: &'static str,
    pub(super) sip_user: &'static str,
}

/// What a person signs in with, in this run.
pub(super) struct Settled {
    token: SecretString,
    pub(super) sip_password: SipPassword,
}

pub(super) fn seeds() -> Vec<AgentSeed> {
    PEOPLE.iter().map(|person| AgentSeed::new(person.name, person.phone, person.activity)).collect()
}

/// Puts the agents into the store, unless an earlier run did, with their devices and a session each: the stand-in makes
/// new devices at every start, and nobody remembers SIP passwords. Answers in the order of [`PEOPLE`].
pub(super) fn settle(config: &Config, twilio: &Handle, realm: &str) -> Result<Vec<Settled>, Failure> {
    let clock = Clock::system();
    let path = config.store_path();
    let options = store::Options { now: clock.now(), ..store::Options::default() };
    let opened = store::open(&path, &options).map_err(|error| Failure::store(&error, &path))?;
    let mut settled = Vec::new();
    for (id, person) in (1..).map(AgentId::from_bits).zip(&PEOPLE) {
        let mut batch = Batch::new();
        batch.unless_present::<Profile>(&id).put(&id, &person.profile(id, &clock)?)?;
        wait(opened.store.commit(batch))?;
        let mut batch = Batch::new();
        let sip_password = person.softphone(&opened.store, &mut batch, id, realm)?;
        let begun = sessions::begin(&mut batch, id, clock.now());
        let (session, token) = begun.map_err(|error| Failure::from(io::Error::other(error)))?;
        batch.put(&id, &Devices::of(person.devices(id, session, twilio, &clock)?))?;
        settled.push(Settled { token, sip_password });
        wait(opened.store.commit(batch))?;
    }
    wait(opened.store.close())?;
    Ok(settled)
}

/// Signs the page's apps in at the daemon.
pub(super) fn install_apps(twilio: &Handle, api: &str, settled: &[Settled]) -> io::Result<()> {
    for (person, Settled { token, .. }) in PEOPLE.iter().zip(settled) {
        twilio.install_app(person.phone, api, token.expose_secret()).map_err(io::Error::other)?;
    }
    Ok(())
}

impl Person {
    fn profile(&self, id: AgentId, clock: &Clock) -> Result<Profile, Failure> {
        let profile = serde_json::json!({
            "phone": self.phone, "name": self.name, "roles": [self.role], "department": DEPARTMENT,
            "can_manage_agents": self.role == Role::Supervisor,
        });
        let draft = Draft::from_json(&profile.to_string())
            .map_err(|_| Failure::from(io::Error::other("a seeded agent is not valid")))?;
        Ok(draft.into_profile(id, clock.now()))
    }

    /// Gives the agent another SIP password.
    fn softphone(
        &self,
        store: &StoreHandle,
        batch: &mut Batch,
        id: AgentId,
        realm: &str,
    ) -> Result<SipPassword, Failure> {
        let failure = |error: FieldError| Failure::from(io::Error::other(error));
        let password = draw_password().map_err(failure)?;
        if let Some(mut profile) = wait(store.get::<Profile>(&id))? {
            profile.sip_username = Some(self.sip_user.to_owned());
            put_password(&mut profile, Some(realm), Some(Some(password.clone()))).map_err(failure)?;
            batch.put(&id, &profile)?;
        }
        Ok(password)
    }

    /// A phone with the app in its browser, and one with an app that FCM reaches.
    fn devices(&self, id: AgentId, session: SessionId, twilio: &Handle, clock: &Clock) -> Result<Vec<Device>, Failure> {
        let failure = |error: offdesk_sandbox::Refusal| Failure::from(io::Error::other(error));
        let browser = twilio.subscribe(self.phone, "Phone, in the browser").map_err(failure)?;
        let targets = [
            PushTarget::WebPush { endpoint: browser.endpoint, p256dh: browser.p256dh, auth: browser.auth },
            PushTarget::Fcm {
                token: twilio.register_fcm(self.phone, "Tablet, with the app").map_err(failure)?,
                is_fid: false,
            },
        ];
        let device = |(place, target)| Device {
            id: DeviceId::from_bits(id.to_bits() * 10 + place),
            name: None,
            target,
            added_at: clock.now(),
            session: Some(session),
            wishes: Wishes::default(),
        };
        Ok((0..).zip(targets).map(device).collect())
    }
}
