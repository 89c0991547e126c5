//! The agents as the running daemon has them.

use std::{
    io::{BufRead, Read},
    path::Path,
};

use form_urlencoded::byte_serialize;
use serde_json::Value;

use super::{Agents, Each, Name, Removal, fields::Fields};
use crate::{
    cli::{
        failure::Failure,
        remote::{Body, Method, Remote, strange},
    },
    domain::{AgentId, Profile},
};

/// Agents a page.
const PAGE: usize = 200;
/// What is read of an import: more than the daemon takes, so that it is the daemon who says so.
const MAX_IMPORT: u64 = 8 * 1024 * 1024;

pub(super) struct Daemon(pub(super) Remote);

impl Daemon {
    fn id(&self, name: &Name) -> Result<AgentId, Failure> {
        match name {
            Name::Id(id) => Ok(*id),
            Name::Phone(_) => Ok(self.find(name)?.id),
        }
    }
}

impl Agents for Daemon {
    fn each(&self, search: &str, each: &mut Each<'_>) -> Result<(), Failure> {
        let search: String = byte_serialize(search.as_bytes()).collect();
        let mut after = String::new();
        loop {
            let path = format!("/agents?limit={PAGE}&search={search}{after}");
            let page = self.0.call(Method::GET, &path, Body::Nothing)?;
            page["items"].as_array().ok_or_else(strange)?.iter().try_for_each(|agent| each(profile(agent)?))?;
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(()),
            }
        }
    }

    fn find(&self, name: &Name) -> Result<Profile, Failure> {
        let phone = match name {
            Name::Id(id) => return profile(&self.0.call(Method::GET, &format!("/agents/{id}"), Body::Nothing)?),
            Name::Phone(phone) => phone,
        };
        let mut found = None;
        self.each(phone.as_str(), &mut |profile| {
            if profile.phone == *phone {
                found = Some(profile);
            }
            Ok(())
        })?;
        found.ok_or_else(|| Failure::usage("there is no such agent", "offdesk agent list shows those there are"))
    }

    fn add(&self, fields: &Fields) -> Result<AgentId, Failure> {
        let added = self.0.call(Method::POST, "/agents", Body::Json(fields.read()?.0.into()))?;
        Ok(profile(&added)?.id)
    }

    fn update(&self, name: &Name, fields: &Fields) -> Result<(), Failure> {
        let changes = fields.read()?.0;
        self.0.call(Method::PATCH, &format!("/agents/{}", self.id(name)?), Body::Json(changes.into())).map(drop)
    }

    fn remove(&self, name: &Name, worker: bool) -> Result<Removal, Failure> {
        let path = format!("/agents/{}?worker={worker}", self.id(name)?);
        let removed = self.0.call(Method::DELETE, &path, Body::Nothing)?;
        let left = removed["not_removed"].as_array().ok_or_else(strange)?.iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Removal { left: left.map(|one| format!("{} is left: {}", text(&one["what"]), text(&one["why"]))).collect() })
    }

    fn import(&self, lines: &mut dyn BufRead, file: &Path) -> Result<usize, Failure> {
        let mut text = Vec::new();
        lines.take(MAX_IMPORT).read_to_end(&mut text).map_err(|error| Failure::file(file, "read", &error))?;
        let imported = self.0.call(Method::POST, "/agents/import", Body::Lines(text))?;
        let added = imported["added"].as_u64().and_then(|added| usize::try_from(added).ok());
        added.ok_or_else(strange)
    }
}

/// An agent of the API: as a profile is kept, but for the time.
fn profile(agent: &Value) -> Result<Profile, Failure> {
    let mut agent = agent.clone();
    let at = agent["created_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).ok_or_else(strange)?;
    agent["created_at"] = at.as_millisecond().into();
    serde_json::from_value(agent).map_err(|_| strange())
}
