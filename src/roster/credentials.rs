//! SIP users and passwords of agents: drawn where nobody chose them, and kept as hashes alone.

use aws_lc_rs::rand;

use super::FieldError;
use crate::domain::{Profile, SipPassword, SipSecret};

/// Characters of a user that was drawn: 50 random bits, short enough to be typed.
const USER: usize = 10;

/// A new password of 160 random bits.
pub fn draw_password() -> Result<SipPassword, FieldError> {
    let mut bits = [0; 20];
    rand::fill(&mut bits).map_err(|_| FieldError::NoRandomness)?;
    Ok(SipPassword::of_random(bits))
}

/// Gives an agent another password, or none, as a patch says; a user too, if there is none. `realm` is the SIP domain; none:
/// there is no SIP.
pub fn put_password(
    profile: &mut Profile,
    realm: Option<&str>,
    password: Option<Option<SipPassword>>,
) -> Result<(), FieldError> {
    match password {
        None => Ok(()),
        Some(None) => {
            profile.sip_secret = None;
            Ok(())
        }
        Some(Some(password)) => {
            let realm = realm.ok_or(FieldError::NoSip)?;
            let user = match &profile.sip_username {
                Some(user) => user.clone(),
                None => draw_password()?.expose().get(..USER).unwrap_or_default().to_owned(),
            };
            profile.sip_secret = Some(SipSecret::new(&unescaped(&user), realm, &password));
            profile.sip_username = Some(user);
            Ok(())
        }
    }
}

/// The user as digest authentication has it: profiles hold it as it stands in a URI.
pub fn unescaped(user: &str) -> String {
    user.parse::<offdesk_sip::User>().map_or_else(|_| user.to_owned(), |user| user.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AgentId, Timestamp},
        roster::{Draft, Patch},
    };

    const REALM: Option<&str> = Some("gw.example.com");

    fn agent(more: &str) -> Profile {
        let json = format!(r#"{{"phone":"+15550100","name":"Anna"{more}}}"#);
        let mut draft = Draft::from_json(&json).unwrap();
        let password = draft.take_sip_password();
        let mut profile = draft.into_profile(AgentId::from_bits(1), Timestamp::EPOCH);
        put_password(&mut profile, REALM, password).unwrap();
        profile
    }

    #[test]
    fn a_password_is_kept_as_hashes_of_the_agents_own_user() {
        let profile = agent(r#","sip_username":"%61nna","sip_password":"correct-horse""#);
        assert!(profile.sip_secret.unwrap().ha1s("anna", "gw.example.com").is_some());
    }

    #[test]
    fn a_user_is_drawn_where_nobody_chose_one() {
        let (one, other) = (agent(r#","sip_password":"correct-horse""#), agent(r#","sip_password":"correct-horse""#));
        assert_eq!(one.sip_username.as_ref().map(String::len), Some(USER));
        assert_ne!(one.sip_username, other.sip_username);
    }

    #[test]
    fn another_user_has_no_use_for_the_password_of_the_one_before() {
        let mut profile = agent(r#","sip_username":"anna","sip_password":"correct-horse""#);
        Patch::from_json(r#"{"name":"Anne","sip_username":"anna"}"#).unwrap().apply(&mut profile);
        assert!(profile.sip_secret.is_some());
        Patch::from_json(r#"{"sip_username":"anne"}"#).unwrap().apply(&mut profile);
        assert!(profile.sip_secret.is_none());
    }

    #[test]
    fn without_sip_there_are_no_passwords() {
        let mut profile = agent("");
        let password = Some(Some(draw_password().unwrap()));
        assert_eq!(put_password(&mut profile, None, password), Err(FieldError::NoSip));
        assert_eq!(put_password(&mut profile, None, Some(None)), Ok(()));
    }
}
