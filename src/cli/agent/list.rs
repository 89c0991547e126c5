//! Agents on standard output.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
};

use super::{Agents, Name};
use crate::{
    cli::failure::Failure,
    domain::{Profile, Timestamp},
};

pub(super) fn list(agents: &dyn Agents, search: &str, json: bool) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        list_json(agents, search, &mut out)?
    } else {
        list_text(agents, search, &mut out)?
    }
    out.flush()?;
    Ok(())
}

/// One array, an agent a line.
fn list_json(agents: &dyn Agents, search: &str, out: &mut impl Write) -> Result<(), Failure> {
    let mut separator = "[";
    agents.each(search, &mut |profile| {
        write!(out, "{separator}\n{}", to_json(&profile)?)?;
        separator = ",";
        Ok(())
    })?;
    writeln!(out, "{}", if separator == "[" { "[]" } else { "\n]" })?;
    Ok(())
}

fn list_text(agents: &dyn Agents, search: &str, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "{:16}  {:16}  {:24}  NAME", "ID", "PHONE", "WORKER")?;
    agents.each(search, &mut |profile| {
        let Profile { id, phone, worker_name, name, .. } = profile;
        writeln!(out, "{:16}  {:16}  {worker_name:24}  {name}", id.to_string(), phone.as_str())?;
        Ok(())
    })
}

pub(super) fn show(agents: &dyn Agents, name: &Name, json: bool) -> Result<(), Failure> {
    let profile = agents.find(name)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", to_json(&profile)?)?;
        return Ok(());
    }
    let roles: Vec<_> = profile.roles.iter().map(|role| role.name()).collect();
    let plan =
        profile.ring_plan.as_ref().map(|plan| plan.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let mut line = |field: &str, value: &dyn Display| writeln!(out, "{field:12}  {value}");
    line("id", &profile.id)?;
    line("phone", &profile.phone)?;
    line("name", &profile.name)?;
    line("email", &profile.email.as_deref().unwrap_or("-"))?;
    line("roles", &roles.join(", "))?;
    line("department", &profile.department.as_deref().unwrap_or("-"))?;
    line("worker", &profile.worker_name)?;
    line("worker sid", &profile.worker_sid.as_ref().map_or("-", |sid| sid.as_str()))?;
    line("ring plan", &plan.as_deref().unwrap_or("as configured"))?;
    line("sip user", &profile.sip_username.as_deref().unwrap_or("-"))?;
    line("manages", &if profile.can_manage_agents { "the own department" } else { "-" })?;
    line("disabled", &if profile.disabled { "yes" } else { "no" })?;
    line("created at", &in_rfc3339(profile.created_at))?;
    Ok(())
}

fn in_rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map(|at| at.to_string()).unwrap_or_default()
}

fn to_json(profile: &Profile) -> Result<String, Failure> {
    Ok(serde_json::to_string(profile).map_err(io::Error::from)?)
}
