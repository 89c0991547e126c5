//! Agents as the engine's accounts.

use offdesk_sip::{User, engine::Command};

use super::table::Table;
use crate::{domain::Profile, roster::News};

/// What the engine is to be told of an agent at the start, or when the agent has come or changed. Whoever is disabled has no
/// account; a secret of another user or realm is none.
pub(super) fn set(table: &mut Table, profile: &Profile, domain: &str) -> Option<Command> {
    let account = || {
        let user: User = profile.sip_username.as_deref()?.parse().ok()?;
        let ha1s = profile.sip_secret.as_ref()?.ha1s(user.as_str(), domain)?;
        (!profile.disabled).then_some((user, ha1s))
    };
    let (user, ha1s) = account()?;
    table.account(profile.id, user.clone(), ha1s.fingerprint());
    Some(Command::SetAccount { user, ha1s })
}

/// The same for what has changed.
pub(super) fn changes(table: &mut Table, news: &News, domain: &str) -> Vec<Command> {
    match news {
        News::Added(profiles) => profiles.iter().filter_map(|profile| set(table, profile, domain)).collect(),
        News::Changed { profile, .. } => {
            let before = table.user(profile.id).cloned();
            let now = set(table, profile, domain);
            let user = match &now {
                Some(Command::SetAccount { user, .. }) => Some(user),
                _ => None,
            };
            let gone = before.filter(|before| Some(before) != user);
            if user.is_none() {
                table.remove(profile.id);
            }
            gone.map(|user| Command::RemoveAccount { user }).into_iter().chain(now).collect()
        }
        News::Removed(agent) => table.remove(*agent).map(|user| Command::RemoveAccount { user }).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AgentId, Timestamp},
        roster::{Draft, put_password},
    };

    const DOMAIN: &str = "gw.example.com";

    fn agent(user: &str, password: &str, disabled: bool) -> std::sync::Arc<Profile> {
        let json = format!(
            r#"{{"phone":"+15550100","name":"A","sip_username":"{user}","sip_password":"{password}","disabled":{disabled}}}"#
        );
        let mut draft = Draft::from_json(&json).unwrap();
        let password = draft.take_sip_password();
        let mut profile = draft.into_profile(AgentId::from_bits(1), Timestamp::EPOCH);
        put_password(&mut profile, Some(DOMAIN), password).unwrap();
        profile.into()
    }

    /// The commands in words.
    fn told(table: &mut Table, news: &News) -> Vec<String> {
        let word = |command| match command {
            Command::SetAccount { user, .. } => format!("set {user}"),
            Command::RemoveAccount { user } => format!("remove {user}"),
            other => format!("{other:?}"),
        };
        changes(table, news, DOMAIN).into_iter().map(word).collect()
    }

    fn changed(profile: std::sync::Arc<Profile>) -> News {
        News::Changed { profile, other_worker: false }
    }

    #[test]
    fn the_engine_hears_of_accounts_that_come_change_and_go() {
        let mut table = Table::default();
        assert_eq!(told(&mut table, &News::Added(vec![agent("anna", "correct-horse", false)])), ["set anna"]);
        assert_eq!(told(&mut table, &changed(agent("anna", "other-password", false))), ["set anna"]);
        assert_eq!(told(&mut table, &changed(agent("anne", "correct-horse", false))), ["remove anna", "set anne"]);
        assert_eq!(told(&mut table, &changed(agent("anne", "correct-horse", true))), ["remove anne"]);
        assert_eq!(told(&mut table, &changed(agent("anne", "correct-horse", false))), ["set anne"]);
        assert_eq!(told(&mut table, &News::Removed(AgentId::from_bits(1))), ["remove anne"]);
        assert!(told(&mut table, &News::Removed(AgentId::from_bits(1))).is_empty());
    }

    #[test]
    fn a_secret_of_another_domain_is_no_account() {
        let news = News::Added(vec![agent("anna", "correct-horse", false)]);
        assert!(changes(&mut Table::default(), &news, "gw.example.org").is_empty());
    }
}
