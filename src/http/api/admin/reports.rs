//! Handle time on phones and at the desk, as JSON and as CSV (RFC 4180).

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{HttpResponse, web};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, Manager, Refusal};
use crate::{
    domain::{AgentId, Day, Place, Profile},
    handling::{KEPT_DAYS, Sum},
    http::api::Api,
};

/// Days that a report has, unless another span is named.
const USUAL: u32 = 30;

/// Which report.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The first day, in UTC; without it, 30 days before the last
    #[param(value_type = Option<String>, example = "2026-11-01")]
    from: Option<String>,
    /// The last day; without it, today
    #[param(value_type = Option<String>, example = "2026-11-25")]
    to: Option<String>,
    /// `agent`, the default, or `department`
    #[serde(default)]
    #[param(value_type = Option<String>, example = "agent")]
    by: By,
    /// `json`, the default, or `csv`
    #[serde(default)]
    #[param(value_type = Option<String>, example = "json")]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Agent,
    Department,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
}

/// How long tasks were worked on.
#[derive(Serialize, ToSchema)]
pub(super) struct HandleTime {
    #[schema(example = "2026-11-01")]
    from: String,
    #[schema(example = "2026-11-25")]
    to: String,
    mobile: Total,
    desktop: Total,
    items: Vec<Item>,
}

/// All tasks that were taken in one place.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Total {
    #[schema(example = 120)]
    tasks: u64,
    /// From acceptance to completion.
    #[schema(example = 312)]
    average_seconds: u64,
}

/// Tasks of one agent or department, channel and place.
#[derive(Serialize, ToSchema)]
pub(super) struct Item {
    /// None in a report by department.
    #[schema(example = "00000000000000a1")]
    agent: Option<String>,
    /// None: the agent has been removed.
    #[schema(example = "Ada Okafor")]
    name: Option<String>,
    #[schema(example = "Sales")]
    department: Option<String>,
    #[schema(example = "voice")]
    channel: String,
    /// `mobile` or `desktop`.
    #[schema(value_type = String, example = "mobile")]
    r#where: Place,
    #[schema(example = 40)]
    tasks: u64,
    /// From acceptance to the end of the talk, all tasks together.
    talk_seconds: u64,
    /// The work after the talk.
    wrap_seconds: u64,
    /// Both, divided by the tasks.
    #[schema(example = 298)]
    average_seconds: u64,
}

/// Compare handle time on phones and at the desk
///
/// A task counts on the day on which it was completed, and where it was accepted. 400 days are kept. A supervisor sees the own
/// department.
#[utoipa::path(
    get,
    path = "/admin/reports/handle-time",
    operation_id = "reportHandleTime",
    tag = "admin",
    params(Query),
    responses(
        (status = 200, description = "The report", content((HandleTime = "application/json"), (String = "text/csv"))),
        (status = 403, description = "You may not manage agents"),
        (status = 422, description = "The query is not of its form, or the span is longer than 400 days"),
    )
)]
pub(super) async fn handle_time(
    api: web::Data<Api>,
    manager: Manager,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> Answer {
    let form = || Refusal::Invalid("expected \"from\" and \"to\" as YYYY-MM-DD, \"by\", and \"format\"".into());
    let query = query.map_err(|_| form())?;
    let (from, to) = span(&query, Day::of(api.clock.now())).ok_or_else(form)?;
    let sums = api.handling.between(from, to).await.map_err(|_| Refusal::NotStored)?;
    let sees = |id: &AgentId| match api.book.get(*id) {
        Some(profile) => manager.access.sees(&profile).then_some((*id, Some(profile))),
        None => manager.access.may_see_all().is_ok().then_some((*id, None)),
    };
    let mut rows: BTreeMap<Group, Sum> = BTreeMap::new();
    for (id, of_agent) in &sums {
        let Some((id, profile)) = sees(id) else { continue };
        for ((channel, place), sum) in of_agent {
            rows.entry(Group::of(query.by, id, profile.as_ref(), channel, *place)).or_default().add(*sum);
        }
    }
    let report = HandleTime::new(from, to, rows);
    Ok(match query.format {
        Format::Json => HttpResponse::Ok().json(report),
        Format::Csv => HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header(("Content-Disposition", "attachment; filename=\"handle-time.csv\""))
            .body(report.csv()),
    })
}

/// What is told apart, and in which order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    department: Option<String>,
    name: Option<String>,
    agent: Option<String>,
    channel: String,
    place: Place,
}

impl Group {
    fn of(by: By, id: AgentId, profile: Option<&Arc<Profile>>, channel: &str, place: Place) -> Self {
        let is_agent = by == By::Agent;
        Self {
            department: profile.and_then(|profile| profile.department.clone()),
            name: profile.filter(|_| is_agent).map(|profile| profile.name.clone()),
            agent: is_agent.then(|| id.to_string()),
            channel: channel.to_owned(),
            place,
        }
    }
}

/// The first and the last day.
fn span(query: &Query, today: Day) -> Option<(Day, Day)> {
    let to = query.to.as_deref().map_or(Some(today), day)?;
    let from = query.from.as_deref().map_or(Some(Day(to.0.saturating_sub(USUAL - 1))), day)?;
    (from <= to && to.0 - from.0 < KEPT_DAYS).then_some((from, to))
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

fn day(text: &str) -> Option<Day> {
    let date: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    u32::try_from(date.since(EPOCH).ok()?.get_days()).ok().map(Day)
}

fn date(Day(day): Day) -> String {
    EPOCH.saturating_add(i64::from(day).min(1_000_000).days()).to_string()
}

const fn average(sum: Sum) -> u64 {
    match (sum.talk.saturating_add(sum.wrap) / 1000).checked_div(sum.tasks) {
        Some(average) => average,
        None => 0,
    }
}

impl HandleTime {
    fn new(from: Day, to: Day, rows: BTreeMap<Group, Sum>) -> Self {
        let total = |place: Place| {
            let mut sum = Sum::default();
            rows.iter().filter(|(group, _)| group.place == place).for_each(|(_, one)| sum.add(*one));
            Total { tasks: sum.tasks, average_seconds: average(sum) }
        };
        let (mobile, desktop) = (total(Place::Mobile), total(Place::Desktop));
        let item = |(group, sum): (Group, Sum)| Item {
            agent: group.agent,
            name: group.name,
            department: group.department,
            channel: group.channel,
            r#where: group.place,
            tasks: sum.tasks,
            talk_seconds: sum.talk / 1000,
            wrap_seconds: sum.wrap / 1000,
            average_seconds: average(sum),
        };
        Self { from: date(from), to: date(to), mobile, desktop, items: rows.into_iter().map(item).collect() }
    }

    fn csv(&self) -> String {
        const HEAD: &str =
            "from,to,agent,name,department,channel,where,tasks,talk_seconds,wrap_seconds,average_seconds\r\n";
        let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
        let line = |item: &Item| {
            let place = match item.r#where {
                Place::Mobile => "mobile",
                Place::Desktop => "desktop",
            };
            format!(
                "{},{},{},{},{},{},{place},{},{},{},{}\r\n",
                self.from,
                self.to,
                text(&item.agent),
                text(&item.name),
                text(&item.department),
                cell(&item.channel),
                item.tasks,
                item.talk_seconds,
                item.wrap_seconds,
                item.average_seconds
            )
        };
        HEAD.to_owned() + &self.items.iter().map(line).collect::<String>()
    }
}

/// A cell. What a spreadsheet would take for a formula is one no more
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
fn cell(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let guard = if is_formula { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n', ';', '\'']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_and_back() {
        for (text, number) in [("1970-01-01", 0), ("2026-11-25", 20_782), ("2024-02-29", 19_782)] {
            assert_eq!((day(text), date(Day(number))), (Some(Day(number)), text.to_owned()));
        }
        for text in ["", "2026-11-31", "2026-11-25T00:00:00Z", "1969-12-31", "20261125", "x"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn no_cell_is_a_formula_or_breaks_out() {
        for (text, expected) in [
            ("Ada", "Ada"),
            ("=1+1", "\"'=1+1\""),
            (" @cmd", "\"' @cmd\""),
            ("+49", "\"'+49\""),
            ("-1", "\"'-1\""),
            ("\t=x", "\"'\t=x\""),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("a\r\nb", "\"a\r\nb\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
