//! What became of everybody, a line each.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
};

use serde_json::{Value, json};

use super::Manner;
use crate::{
    cli::Failure,
    roster::{Newcomer, Origin, Takeover},
};

/// Letters of a foreign name that are shown.
const SHOWN: usize = 80;

pub(super) fn print(takeover: &Takeover, others: usize, manner: Manner) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    if manner.json {
        writeln!(out, "{}", in_json(takeover, others, manner.dry_run))?;
    } else {
        in_lines(takeover, others, manner.dry_run, &mut out)?;
    }
    Ok(out.flush()?)
}

fn in_json(takeover: &Takeover, others: usize, dry_run: bool) -> Value {
    let from = |origin: &Origin| json!({ "sid": origin.sid, "name": origin.name });
    let added = takeover.added.iter().map(|(origin, newcomer)| {
        json!({ "from": from(origin), "agent": newcomer.written(), "remarks": texts(newcomer.remarks()) })
    });
    let there = takeover.there.iter().map(|(origin, why)| json!({ "from": from(origin), "why": texts(why) }));
    let left_out =
        takeover.left_out.iter().map(|(origin, why)| json!({ "from": from(origin), "why": [why.to_string()] }));
    json!({
        "dry_run": dry_run,
        "added": added.collect::<Vec<_>>(),
        "already_there": there.collect::<Vec<_>>(),
        "left_out": left_out.collect::<Vec<_>>(),
        "others": others,
    })
}

fn in_lines(takeover: &Takeover, others: usize, dry_run: bool, out: &mut impl Write) -> io::Result<()> {
    for (origin, newcomer) in &takeover.added {
        let label = if dry_run { "would be added" } else { "added" };
        writeln!(out, "{label:14}  {}  {}", shown(origin), described(newcomer))?;
    }
    for (origin, why) in &takeover.there {
        writeln!(out, "{:14}  {}  {}", "already there", shown(origin), texts(why).join("; "))?;
    }
    for (origin, why) in &takeover.left_out {
        writeln!(out, "{:14}  {}  {why}", "left out", shown(origin))?;
    }
    if others > 0 {
        writeln!(out, "{others} other documents are no agents")?;
    }
    let Takeover { added, there, left_out } = takeover;
    let (added, there, left_out) = (added.len(), there.len(), left_out.len());
    let done = if dry_run { "to add (dry run, nothing was changed)" } else { "added" };
    writeln!(out, "{added} {done}, {there} already there, {left_out} left out")
}

/// Anything may stand in a name: what a terminal would take for more than letters is escaped.
fn shown(origin: &Origin) -> String {
    let name: String = origin.name.chars().take(SHOWN).collect();
    format!("{}  {name:?}", origin.sid)
}

/// What is taken over, what somebody could do by it before all, and what is not.
fn described(newcomer: &Newcomer) -> String {
    let field = |name: &str| newcomer.written().get(name);
    let text = |name: &str| field(name).and_then(Value::as_str);
    let mut parts = vec![text("phone").unwrap_or_default().to_owned()];
    parts.extend(text("name").map(|name| format!("{name:?}")));
    let roles = field("roles").and_then(Value::as_array).map(|roles| roles.iter().filter_map(Value::as_str).collect());
    parts.push(roles.map_or_else(|| "agent".to_owned(), |roles: Vec<_>| roles.join(", ")));
    parts.extend(text("department").map(|department| format!("department {department:?}")));
    if field("can_manage_agents") == Some(&Value::Bool(true)) {
        parts.push("manages the department's agents".to_owned());
    }
    parts.extend(texts(newcomer.remarks()));
    parts.join("; ")
}

fn texts<T: Display>(things: &[T]) -> Vec<String> {
    things.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{LeftOut, Roster, Unfit, from_flex_mobile};

    fn takeover() -> Takeover {
        let origin = |name: &str| Origin { sid: "ET1".into(), name: name.to_owned() };
        let data = json!({
            "name": "A\u{202e}da", "department": "Sales", "role": "supervisor", "canAddAgents": true, "x": 1,
            "longTermToken": "hunter2",
        });
        let people = vec![
            (origin("user-+15550100"), from_flex_mobile::newcomer("user-+15550100", &data)),
            (origin("user-\u{1b}[2J\n"), from_flex_mobile::newcomer("user-\u{1b}[2J\n", &data)),
        ];
        Takeover::of(people, &Roster::default())
    }

    fn lines(dry_run: bool) -> String {
        let mut out = Vec::new();
        in_lines(&takeover(), 2, dry_run, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn everybody_has_a_line_and_no_name_does_anything_to_the_terminal() {
        let told = lines(false);
        let told: Vec<_> = told.lines().collect();
        let agent = "+15550100; \"A\\u{202e}da\"; supervisor; department \"Sales\"; manages the department's agents; \
                     further fields, not taken over: 1";
        assert_eq!(told[0], format!("added           ET1  \"user-+15550100\"  {agent}"));
        assert_eq!(told[1], "left out        ET1  \"user-\\u{1b}[2J\\n\"  no phone number");
        assert_eq!(told[2], "2 other documents are no agents");
        assert_eq!(told[3], "1 added, 0 already there, 1 left out");
        assert!(lines(true).ends_with("1 to add (dry run, nothing was changed), 0 already there, 1 left out\n"));
    }

    #[test]
    fn as_json_it_says_the_same_and_never_a_token() {
        let told = in_json(&takeover(), 2, true);
        assert_eq!((&told["dry_run"], &told["others"]), (&json!(true), &json!(2)));
        assert_eq!(told["added"][0]["agent"]["phone"], "+15550100");
        assert_eq!(told["left_out"][0]["why"], json!([LeftOut::from(Unfit::NoPhone).to_string()]));
        assert!(!told.to_string().contains("hunter2"));
    }
}
