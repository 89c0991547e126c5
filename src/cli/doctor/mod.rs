//! `offdesk doctor`: what is wrong, each with its cure.
//!
//! A check is a function of the [`Context`] that answers findings; the two lists below say which there are. One that is added
//! belongs into `here` if it needs this machine alone, and into `there` if it asks Twilio.

mod finding;
mod here;
mod people;
mod sip;
mod there;
mod web;

use std::{
    io::{self, Write},
    path::Path,
};

use clap::Args;
use tokio::runtime::Handle;

use self::finding::{Finding, Level, fail};
use super::{Environment, Failure, daemon::not_started, setting::ConfigFile};
use crate::{app, clock::Clock, config::Config, twilio::Twilio};

#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigFile,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What checks look at.
struct Context<'a> {
    options: &'a ConfigFile,
    env: &'a Environment,
    file: &'a Path,
    config: &'a Config,
    twilio: &'a Twilio,
    /// The same with the auth token, where an API key is used.
    by_token: Option<&'a Twilio>,
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    let mut report = Report { json: options.json, findings: Vec::new() };
    match options.config.load(env) {
        Ok(config) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(look(options, env, &config, &mut report))?;
        }
        Err(Failure::Told { cause, cure, .. }) => {
            report.add(cause.lines().map(|line| fail("config", line, &*cure)).collect())?;
        }
        Err(failure) => return Err(failure),
    }
    report.end()
}

async fn look(options: &Options, env: &Environment, config: &Config, report: &mut Report) -> Result<(), Failure> {
    let twilio = app::twilio(config, Clock::system(), Handle::current()).map_err(|error| not_started(error, config))?;
    let mut without_key = config.clone();
    let by_token = match without_key.twilio.api_key.take() {
        Some(_) => app::twilio(&without_key, Clock::system(), Handle::current()).ok(),
        None => None,
    };
    let context = Context {
        options: &options.config,
        env,
        file: options.config.path(),
        config,
        twilio: &twilio,
        by_token: by_token.as_ref(),
    };
    on_this_machine(&context, report).await?;
    at_twilio(&context, report).await
}

async fn on_this_machine(context: &Context<'_>, report: &mut Report) -> io::Result<()> {
    let config = context.config;
    report.add(here::configuration(context))?;
    report.add(here::tls(config))?;
    report.add(web::public_url(config).await)?;
    report.add(sip::signalling(config))?;
    report.add(sip::media(config))?;
    report.add(here::vapid_key(config))?;
    report.add(here::fcm(config).await)?;
    report.add(here::store(config))
}

/// Where Twilio does not know us, it is not asked for more.
async fn at_twilio(context: &Context<'_>, report: &mut Report) -> Result<(), Failure> {
    let (found, known) = there::account(context).await;
    report.add(found)?;
    if !known {
        return Ok(());
    }
    report.add(there::caller_id(context).await)?;
    report.add(there::verify(context).await)?;
    let (found, known) = there::workspace(context).await;
    report.add(found)?;
    if !known {
        return Ok(());
    }
    report.add(there::activities(context).await)?;
    report.add(there::events(context).await)?;
    report.add(there::timeouts(context).await)?;
    report.add(there::flex(context).await)?;
    Ok(report.add(people::agents(context).await)?)
}

struct Report {
    json: bool,
    findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, findings: Vec<Finding>) -> io::Result<()> {
        for finding in findings {
            if !self.json {
                finding.tell()?;
            }
            self.findings.push(finding);
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Failure> {
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &self.findings).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        let failed = self.findings.iter().any(|finding| finding.level == Level::Fail);
        if failed { Err(Failure::Found) } else { Ok(()) }
    }
}
