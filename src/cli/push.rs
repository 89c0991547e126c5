//! `offdesk push`: what became of notifications.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Environment, Failure,
    remote::{self, Body, Method, Remote},
    setting::ConfigFile,
    stopped::{self, Purpose},
};
use crate::{clock::Clock, domain::Timestamp, push, store::wait};

/// Letters read in one go.
const PAGE: usize = 200;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List notifications that were never delivered, the oldest first
    Dead {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    let Command::Dead { json } = options.command;
    let data = options.config.data_dir(env)?;
    let letters = match stopped::open_unless_running(&data, &Clock::system(), Purpose::Reading)? {
        Some(store) => of_store(&store)?,
        None => of_daemon(&Remote::new(&options.config.daemon(env)?)?)?,
    };
    let mut out = io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", Value::Array(letters))?);
    }
    if letters.is_empty() {
        return Ok(writeln!(out, "none: every notification was delivered, or nobody wanted it any more")?);
    }
    for letter in &letters {
        writeln!(out, "{}", line(letter))?;
    }
    Ok(writeln!(out, "{} were never delivered", letters.len())?)
}

fn of_store(store: &crate::store::StoreHandle) -> Result<Vec<Value>, Failure> {
    let (mut after, mut letters) = (0, Vec::new());
    loop {
        let page = wait(push::dead_letters(store, after, PAGE))?;
        let Some((last, _)) = page.last() else { return Ok(letters) };
        after = *last;
        letters.extend(page.into_iter().map(|(_, letter)| as_the_api_has_it(letter)));
    }
}

fn of_daemon(remote: &Remote) -> Result<Vec<Value>, Failure> {
    let (mut after, mut letters) = ("0".to_owned(), Vec::new());
    loop {
        let path = format!("/push/dead?limit={PAGE}&after={after}");
        let mut page = remote.call(Method::GET, &path, Body::Nothing)?;
        let Value::Array(items) = page["items"].take() else { return Err(remote::strange()) };
        letters.extend(items);
        match page["next"].take() {
            Value::String(next) => after = next,
            _ => return Ok(letters),
        }
    }
}

fn as_the_api_has_it(letter: push::DeadLetter) -> Value {
    json!({
        "id": letter.id.to_string(),
        "agent": letter.agent,
        "device": letter.device,
        "provider": letter.provider,
        "type": letter.kind,
        "created_at": rfc3339(letter.created),
        "given_up_at": rfc3339(letter.died),
        "cause": letter.cause,
        "tries": letter.tries,
        "last_failure": letter.last,
    })
}

fn rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX).to_string()
}

fn line(letter: &Value) -> String {
    let text = |key: &str| letter[key].as_str().unwrap_or("-").to_owned();
    let [at, cause, provider, kind] = ["given_up_at", "cause", "provider", "type"].map(text);
    let [agent, device, last] = ["agent", "device", "last_failure"].map(text);
    let tries = &letter["tries"];
    format!("{at}  {cause}  {kind} by {provider}  agent {agent}  device {device}  {tries} tries, the last: {last}")
}
