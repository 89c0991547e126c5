//! Adding, changing and removing one agent.

use std::io::{self, Write};

use clap::Args;
use serde_json::Value;

use super::{
    Name,
    profiles::{Profiles, new_id, refuse_clashes},
};
use crate::{
    cli::failure::Failure,
    domain::Timestamp,
    roster::{Draft, Field, FieldError, Patch},
};

/// The fields of a profile as options.
#[derive(Clone, Debug, Args)]
pub(super) struct Fields {
    /// The cell phone, in E.164 form
    #[arg(long, value_name = "+NUMBER")]
    phone: Option<String>,
    /// The agent's full name
    #[arg(long)]
    name: Option<String>,
    /// The agent's e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// agent, supervisor, admin or one of Flex Insights' wfo.…; several with commas between [default: agent]
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// The department that the agent belongs to
    #[arg(long, value_name = "NAME")]
    department: Option<String>,
    /// The TaskRouter worker
    #[arg(long, value_name = "WK…")]
    worker_sid: Option<String>,
    /// The worker's friendly name [default: user- and the phone number]
    #[arg(long, value_name = "NAME")]
    worker_name: Option<String>,
    /// What rings, in order: sip, pstn [default: as configured]
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    ring_plan: Option<Vec<String>>,
    /// The user part of the agent's SIP address, for the softphones of a later version
    #[arg(long, value_name = "USER")]
    sip_username: Option<String>,
    #[arg(long, hide = true)]
    sip_password: Option<String>,
}

impl Fields {
    fn patch(&self) -> Result<Patch, Failure> {
        if self.sip_password.is_some() {
            return Err(Failure::not_in_this_version("--sip-password"));
        }
        let texts = [
            (Field::Phone, &self.phone),
            (Field::Name, &self.name),
            (Field::Email, &self.email),
            (Field::Department, &self.department),
            (Field::WorkerSid, &self.worker_sid),
            (Field::WorkerName, &self.worker_name),
            (Field::SipUsername, &self.sip_username),
        ];
        let lists = [(Field::Roles, &self.roles), (Field::RingPlan, &self.ring_plan)];
        let texts = texts.into_iter().filter_map(|(field, text)| Some((field, Value::from(text.as_deref()?))));
        let lists = lists.into_iter().filter_map(|(field, list)| Some((field, list_value(list.as_ref()?))));
        let mut patch = Patch::default();
        let mut errors = Vec::new();
        for (field, value) in texts.chain(lists) {
            if let Err(why) = patch.set(field, &value) {
                errors.push(FieldError::Bad(field, why));
            }
        }
        if errors.is_empty() { Ok(patch) } else { Err(refusal(&errors)) }
    }
}

/// An option with an empty text is an empty list.
fn list_value(list: &[String]) -> Value {
    list.iter().filter(|item| !item.is_empty()).map(|item| Value::from(item.as_str())).collect()
}

fn refusal(errors: &[FieldError]) -> Failure {
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Failure::usage(told.join("\n"), "set it right; offdesk agent add --help says what each option takes")
}

pub(super) fn add(profiles: &Profiles, fields: &Fields, now: Timestamp) -> Result<(), Failure> {
    let draft = Draft::from_patch(fields.patch()?).map_err(|errors| refusal(&errors))?;
    let profile = draft.into_profile(new_id()?, now);
    refuse_clashes(&profiles.roster()?.clashes(&profile))?;
    profiles.add(std::slice::from_ref(&profile), |_| {})?;
    writeln!(io::stdout(), "{}", profile.id)?;
    Ok(())
}

pub(super) fn update(profiles: &Profiles, name: &Name, fields: &Fields) -> Result<(), Failure> {
    let patch = fields.patch()?;
    let mut profile = profiles.find(name)?;
    patch.apply(&mut profile);
    refuse_clashes(&profiles.roster()?.clashes(&profile))?;
    profiles.replace(&profile)
}

pub(super) fn remove(profiles: &Profiles, name: &Name) -> Result<(), Failure> {
    profiles.remove(&profiles.find(name)?)
}
