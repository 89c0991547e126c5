//! The fields of a profile as options of the command line.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::{
    cli::failure::Failure,
    roster::{Field, FieldError, Patch},
};

/// The fields of a profile as options.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Fields {
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
    /// The user part of the agent's SIP address [default: drawn with the first password]
    #[arg(long, value_name = "USER")]
    sip_username: Option<String>,
    /// Whether a supervisor manages the agents of the own department
    #[arg(long, value_name = "WHETHER")]
    can_manage_agents: Option<YesNo>,
    /// Whether the agent is shut out: no sign-in, no offers
    #[arg(long, value_name = "WHETHER")]
    disabled: Option<YesNo>,
    /// The password of the agent's softphones, 12 to 128 characters; better drawn in the app
    #[arg(long, value_name = "PASSWORD")]
    sip_password: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

impl Fields {
    /// The options that were given, as the API takes them, and what they mean.
    pub(super) fn read(&self) -> Result<(Map<String, Value>, Patch), Failure> {
        let texts = [
            (Field::Phone, &self.phone),
            (Field::Name, &self.name),
            (Field::Email, &self.email),
            (Field::Department, &self.department),
            (Field::WorkerSid, &self.worker_sid),
            (Field::WorkerName, &self.worker_name),
            (Field::SipUsername, &self.sip_username),
            (Field::SipPassword, &self.sip_password),
        ];
        let lists = [(Field::Roles, &self.roles), (Field::RingPlan, &self.ring_plan)];
        let flags = [(Field::CanManageAgents, self.can_manage_agents), (Field::Disabled, self.disabled)];
        let texts = texts.into_iter().filter_map(|(field, text)| Some((field, Value::from(text.as_deref()?))));
        let lists = lists.into_iter().filter_map(|(field, list)| Some((field, list_value(list.as_ref()?))));
        let flags = flags.into_iter().filter_map(|(field, flag)| Some((field, Value::from(flag? == YesNo::Yes))));
        let (mut written, mut patch, mut errors) = (Map::new(), Patch::default(), Vec::new());
        for (field, value) in texts.chain(lists).chain(flags) {
            if let Err(why) = patch.set(field, &value) {
                errors.push(FieldError::Bad(field, why));
            }
            written.insert(field.name().to_owned(), value);
        }
        if errors.is_empty() { Ok((written, patch)) } else { Err(refusal(&errors)) }
    }
}

/// An option with an empty text is an empty list.
fn list_value(list: &[String]) -> Value {
    list.iter().filter(|item| !item.is_empty()).map(|item| Value::from(item.as_str())).collect()
}

pub(super) fn refusal(errors: &[FieldError]) -> Failure {
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Failure::usage(told.join("\n"), "set it right; offdesk agent add --help says what each option takes")
}
