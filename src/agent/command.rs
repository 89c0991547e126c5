//! What an agent, or a supervisor, asks for on a phone or at the API.

use super::{Agent, Context, Effect, chat::Line, request::Closing};
use crate::domain::{ConversationSid, ReservationSid};

/// One wish.
#[derive(Clone, Debug)]
pub enum Command {
    Accept(ReservationSid),
    Decline(ReservationSid),
    Finish {
        task: ReservationSid,
        how: Closing,
    },
    /// All up to and with this message is read.
    Read {
        conversation: ConversationSid,
        index: u64,
    },
    /// A message was written for the agent, by us.
    Wrote {
        conversation: ConversationSid,
        line: Line,
    },
    /// A viewer, such as an app that is in front, shows a conversation; none: not any more.
    Show {
        viewer: u64,
        conversation: Option<ConversationSid>,
    },
    SetActivity(String),
}

/// Why a wish is not granted. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error("the agent has no such task or conversation")]
    NotFound,
    #[error("it is taken already")]
    Taken,
    #[error("it is gone: taken back, or offered to somebody else")]
    Gone,
    #[error("it is not on offer any more")]
    NotPending,
    #[error("it is not accepted yet")]
    NotAccepted,
    #[error("agents cannot choose this activity")]
    NotAChoice,
}

impl Agent {
    /// Does what is asked for, if that is possible now.
    pub fn command(&mut self, command: Command, context: &Context<'_>) -> (Result<(), Denial>, Vec<Effect>) {
        let done = match command {
            Command::Accept(task) => self.accept(&task, context),
            Command::Decline(task) => self.decline(&task, context),
            Command::Finish { task, how } => self.finish(&task, how, context).map(|()| Vec::new()),
            Command::Read { conversation, index } => self.reads(&conversation, index, context).map(|()| Vec::new()),
            Command::Wrote { conversation, line } => self.wrote(&conversation, &line, context),
            Command::Show { viewer, conversation } => {
                self.shows(viewer, conversation, context);
                Ok(Vec::new())
            }
            Command::SetActivity(name) if context.policy.choices.contains(&name) => {
                Ok(self.pick_activity(name, context))
            }
            Command::SetActivity(_) => Err(Denial::NotAChoice),
        };
        match done {
            Ok(mut effects) => {
                effects.extend(self.work(context));
                (Ok(()), effects)
            }
            Err(denial) => (Err(denial), self.work(context)),
        }
    }
}
