//! `offdesk setup`: the Twilio side made ready, as often as it is run, and put back as it was.
//!
//! `look` reads what there is, `plan` makes steps of it, `hands` carries them out, `record` keeps what was changed, and `undo`
//! says what puts it back.

mod file;
mod hands;
mod look;
mod plan;
mod record;
mod undo;

use std::{
    io::{self, Write},
    path::Path,
};

use clap::Args;

use self::{
    hands::{Hands, Trouble},
    plan::{State, Step, There, Verify, Wanted, plan},
    record::Record,
    undo::{Back, described, order},
};
use super::{Environment, Failure, daemon::not_started, failure::Exit, progress::Progress, setting::ConfigFile};
use crate::{
    app,
    clock::Clock,
    config::{Config, Effective},
    domain::WorkspaceSid,
    twilio::{Refusal, Twilio, TwilioError},
};

#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigFile,
    /// Tell what would be done, and do nothing
    #[arg(long, conflicts_with = "undo")]
    dry_run: bool,
    /// Put everything back as it was before the first setup
    #[arg(long)]
    undo: bool,
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    let (config, effective) = options.config.read_or_write(env)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let twilio =
        app::twilio(&config, Clock::system(), runtime.handle().clone()).map_err(|error| not_started(error, &config))?;
    runtime.block_on(carry_out(options, &config, &effective, &twilio))
}

async fn carry_out(
    options: &Options,
    config: &Config,
    effective: &[Effective],
    twilio: &Twilio,
) -> Result<(), Failure> {
    let wanted = Wanted::of(config);
    let mut record = record_of(config)?;
    workspace(twilio, config).await?;
    let mut progress = Progress::new("questions to Twilio");
    progress.at(1);
    let there = look::look(twilio, config, &wanted, &record).await;
    progress.done();
    let mut there = there.map_err(|error| refused(&error))?;
    record.settle(&there).map_err(|error| Failure::file(record.path(), "written", &error))?;
    let sink = there.intake.sinks.iter().find(|sink| !sink.failed).map(|sink| sink.sid.clone());
    let verify = match &there.verify {
        Verify::Service { sid, .. } => Some(sid.clone()),
        Verify::None | Verify::Missing(_) => None,
    };
    // It is put back from wherever that is asked for.
    let file = std::path::absolute(options.config.path())
        .map_err(|error| Failure::file(options.config.path(), "named", &error))?;
    let mut hands = Hands { twilio, config, effective, file, record, sink, verify };
    if options.undo {
        return undo_all(&mut hands, &mut there).await;
    }
    let steps = plan(&wanted, &there, &hands.record);
    if options.dry_run { tell(&steps) } else { make_all(&mut hands, steps).await }
}

fn record_of(config: &Config) -> Result<Record, Failure> {
    let account = &config.twilio.account_sid;
    let record = Record::open(config.data_dir.path(), account)
        .map_err(|error| Failure::file(&config.data_dir.path().join("setup.json"), "read", &error))?;
    if record.account == *account {
        return Ok(record);
    }
    let cause = format!("{} tells of another account, {}", record.path().display(), record.account);
    Err(Failure::usage(cause, "run offdesk setup --undo with that account's configuration first"))
}

/// Tells the workspace that is worked in, or lists those that there are.
async fn workspace(twilio: &Twilio, config: &Config) -> Result<(), Failure> {
    let all = twilio.workspaces().await.map_err(|error| refused(&error))?;
    let wanted = config.twilio.workspace_sid.as_ref();
    let found = match (wanted, all.as_slice()) {
        (Some(wanted), all) => all.iter().find(|workspace| workspace.sid == *wanted),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    if let Some(found) = found {
        return Ok(line("already there", &format!("the workspace {} {:?}", found.sid, found.friendly_name))?);
    }
    let flex = twilio.configuration().await.ok().and_then(|flex| flex.taskrouter_workspace_sid);
    let is_flex = |sid: &WorkspaceSid| if flex.as_ref() == Some(sid) { ", which Flex uses" } else { "" };
    let list: Vec<_> = all
        .iter()
        .map(|workspace| format!("{} {:?}{}", workspace.sid, workspace.friendly_name, is_flex(&workspace.sid)))
        .collect();
    let cause = match (wanted, list.is_empty()) {
        (_, true) => "the account has no TaskRouter workspace".to_owned(),
        (Some(sid), _) => format!("the account has no workspace {sid}; it has\n{}", list.join("\n")),
        (None, _) => format!("the account has several workspaces:\n{}", list.join("\n")),
    };
    Err(Failure::usage(cause, "set twilio.workspace_sid to the one that Flex uses"))
}

/// Of one step: how it is, and what it is about.
fn line(state: &str, what: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{state:14} {what}")?;
    out.flush()
}

fn failed(what: &str, why: &str, cure: &str) -> io::Result<()> {
    line("failed", &format!("{what}: {why}"))?;
    line("", &format!("cure: {cure}"))
}

fn tell(steps: &[Step]) -> Result<(), Failure> {
    let mut left = 0;
    for Step { what, state } in steps {
        match state {
            State::There => line("already there", what)?,
            State::Make(_) => line("would be made", what)?,
            State::Impossible { why, cure } => {
                left += 1;
                failed(what, why, cure)?;
            }
        }
    }
    end(left, Exit::Usage)
}

async fn make_all(hands: &mut Hands<'_>, steps: Vec<Step>) -> Result<(), Failure> {
    let (mut left, mut exit) = (0, Exit::Usage);
    for Step { what, state } in steps {
        match state {
            State::There => line("already there", &what)?,
            State::Impossible { why, cure } => {
                left += 1;
                failed(&what, &why, &cure)?;
            }
            State::Make(action) => match hands.make(action).await {
                Ok(()) => line("made", &what)?,
                Err(trouble) => {
                    left += 1;
                    exit = exit_of(&trouble, exit);
                    failed(&what, &trouble.to_string(), &cure(&trouble, &hands.file))?;
                }
            },
        }
    }
    end(left, exit)
}

async fn undo_all(hands: &mut Hands<'_>, there: &mut There) -> Result<(), Failure> {
    let (mut left, mut exit) = (0, Exit::Usage);
    for change in order(&hands.record) {
        let what = described(&change);
        match hands.put_back(&change, there).await {
            Ok(Back::Nothing) => line("as it was", &what)?,
            Ok(Back::Theirs) => line("left", &format!("{what}: somebody has changed it since"))?,
            Ok(_) => line("put back", &what)?,
            Err(trouble) => {
                left += 1;
                exit = exit_of(&trouble, exit);
                failed(&what, &trouble.to_string(), &cure(&trouble, &hands.file))?;
            }
        }
    }
    let key = app::vapid_key(hands.config);
    if key.path().exists() {
        line("left", &format!("{}: browsers' subscriptions are bound to it", key.path().display()))?;
    }
    end(left, exit)
}

fn end(left: usize, exit: Exit) -> Result<(), Failure> {
    match left {
        0 => Ok(()),
        1 => Err(Failure::new(exit, "1 step is not done", "do what stands below it, and run the command again")),
        _ => {
            let cause = format!("{left} steps are not done");
            Err(Failure::new(exit, cause, "do what stands below them, and run the command again"))
        }
    }
}

const fn exit_of(trouble: &Trouble, other: Exit) -> Exit {
    match trouble {
        Trouble::Twilio(error) if error.is_retryable() => Exit::Unavailable,
        _ => other,
    }
}

const CREDENTIALS: &str = "see that twilio's account_sid, auth_token or API key are those of one account";
const FORBIDDEN: &str =
    "these credentials may not do this: use the account's auth token for the setup, or an API key that may";

fn cure(trouble: &Trouble, file: &Path) -> String {
    match trouble {
        Trouble::Twilio(error) => match error.refusal() {
            Some(Refusal::Unauthorized) => CREDENTIALS.to_owned(),
            Some(Refusal::Forbidden) => FORBIDDEN.to_owned(),
            _ if error.is_retryable() => "run the command again: it goes on where it was".to_owned(),
            _ => "see whether it is in use at Twilio, as an activity is that workers are in; free it and run the command again"
                .to_owned(),
        },
        Trouble::File { .. } | Trouble::Key(_) => {
            "run the command as a user who may write there, such as root; what it makes is given to the folder's owner"
                .to_owned()
        }
        Trouble::ByHand { line } => format!("add {line} to the table [twilio] of {}", file.display()),
        Trouble::Missing | Trouble::Covered => "do what stands above, and run the command again".to_owned(),
    }
}

fn refused(error: &TwilioError) -> Failure {
    let cause = error.to_string();
    match error.refusal() {
        Some(Refusal::Unauthorized) => Failure::usage(cause, CREDENTIALS),
        Some(Refusal::Forbidden) => Failure::usage(cause, FORBIDDEN),
        _ if error.is_retryable() => Failure::new(Exit::Unavailable, cause, "try again; nothing was changed"),
        _ => Failure::new(Exit::Internal, cause, "try again; nothing was changed"),
    }
}
