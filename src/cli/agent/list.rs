//! Agents on standard output.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
};

use super::{Name, profiles::Profiles};
use crate::{
    cli::failure::Failure,
    domain::{Profile, Role, Timestamp},
};

pub(super) fn list(profiles: &Profiles, json: bool) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        list_json(profiles, &mut out)?
    } else {
        list_text(profiles, &mut out)?
    }
    out.flush()?;
    Ok(())
}

/// One array, an agent a line.
fn list_json(profiles: &Profiles, out: &mut impl Write) -> Result<(), Failure> {
    let mut separator = "[";
    profiles.each(|profile| -> Result<(), Failure> {
        write!(out, "{separator}\n{}", to_json(&profile)?)?;
        separator = ",";
        Ok(())
    })?;
    writeln!(out, "{}", if separator == "[" { "[]" } else { "\n]" })?;
    Ok(())
}

fn list_text(profiles: &Profiles, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "{:16}  {:16}  {:24}  NAME", "ID", "PHONE", "WORKER")?;
    profiles.each(|profile| -> Result<(), Failure> {
        let Profile { id, phone, worker_name, name, .. } = profile;
        writeln!(out, "{:16}  {:16}  {worker_name:24}  {name}", id.to_string(), phone.as_str())?;
        Ok(())
    })
}

pub(super) fn show(profiles: &Profiles, name: &Name, json: bool) -> Result<(), Failure> {
    let profile = profiles.find(name)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", to_json(&profile)?)?;
        return Ok(());
    }
    let roles = profile.roles.iter().map(in_words).collect::<Result<Vec<_>, _>>()?;
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
    line("created at", &in_rfc3339(profile.created_at))?;
    Ok(())
}

/// A role as it is written in JSON.
fn in_words(role: &Role) -> io::Result<String> {
    let value = serde_json::to_value(role)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

fn in_rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map(|at| at.to_string()).unwrap_or_default()
}

fn to_json(profile: &Profile) -> Result<String, Failure> {
    Ok(serde_json::to_string(profile).map_err(io::Error::from)?)
}
