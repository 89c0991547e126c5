//! Who is where, doing what.

use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Manager, Refusal,
    list::{bad_cursor, bounded},
};
use crate::{
    actors::ask::{self, Progress, Stage, TaskView, View},
    domain::{AgentId, Profile, ReservationSid},
    http::api::{Api, shape::Page},
    roster::Search,
};

/// Agents that are asked at a time.
const ASKED: usize = 16;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// `next` of the page before
    after: Option<String>,
    /// How many, 200 at most
    limit: Option<usize>,
}

/// An agent now.
#[derive(Serialize, ToSchema)]
pub(super) struct LiveAgent {
    #[schema(example = "00000000000000a1")]
    id: String,
    #[schema(example = "Ada Okafor")]
    name: String,
    department: Option<String>,
    /// As TaskRouter has it; none: not known.
    #[schema(example = "Available on Mobile")]
    activity: Option<String>,
    /// Another activity is being set.
    changing: bool,
    /// `mobile`: tasks come to the phone; `desktop`: they come to Flex; `off`: none come. None: not known.
    #[schema(value_type = Option<String>, example = "mobile")]
    r#where: Option<Where>,
    /// Sign-ins.
    sessions: usize,
    /// Connections on which events are followed.
    connections: usize,
    /// What the agent's call is at: `connecting`, `ringing`, `talking` or `settling`.
    #[schema(value_type = Option<String>, example = "talking")]
    call: Option<Stage>,
    tasks: Vec<LiveTask>,
    /// Messages that were not read.
    unread: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Where {
    Mobile,
    Desktop,
    Off,
}

/// A task that an agent has now. Whose it is, is not told.
#[derive(Serialize, ToSchema)]
pub(super) struct LiveTask {
    /// The reservation.
    #[schema(value_type = String)]
    sid: ReservationSid,
    #[schema(value_type = String, example = "accepted")]
    status: Progress,
    #[schema(example = "voice")]
    channel: String,
    /// Seconds since it was offered.
    age: u64,
}

/// See who is where, doing what
///
/// In the order of the agents' ids. A supervisor sees the own department.
#[utoipa::path(
    get,
    path = "/admin/live",
    operation_id = "listLive",
    tag = "admin",
    params(Query),
    responses(
        (status = 200, description = "Some of the agents whom you may see, as they are now", body = Page<LiveAgent>),
        (status = 403, description = "You may not manage agents"),
        (status = 422, description = "The query is not of its form"),
    )
)]
pub(super) async fn list(
    api: web::Data<Api>,
    manager: Manager,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> Answer {
    let query = query.map_err(|_| Refusal::Invalid("expected \"after\" and a whole \"limit\"".into()))?;
    let after: Option<AgentId> = query.after.as_deref().map(str::parse).transpose().map_err(|_| bad_cursor())?;
    let page = api.book.page(&manager.access, &Search::new(""), after, bounded(query.limit));
    let agents = page.items.iter().map(|profile| live(&api, profile));
    let items: Vec<_> = stream::iter(agents).buffered(ASKED).collect().await;
    Ok(HttpResponse::Ok().json(Page { items, next: page.next.map(|id| id.to_string()) }))
}

/// An agent that does not answer is shown without what it would have said.
async fn live(api: &Api, profile: &Profile) -> LiveAgent {
    let view = ask::glance(&api.views, &api.directory, profile.id).await.ok();
    let now = api.clock.now();
    let task = |task: TaskView| LiveTask {
        sid: task.reservation,
        status: task.progress,
        channel: task.channel,
        age: now.since(task.created).as_secs(),
    };
    let place = view.as_ref().and_then(|view| place(api, view));
    let (activity, changing, call, tasks, unread) = view.map_or((None, false, None, Vec::new(), 0), |view| {
        let stage = view.call.as_ref().map(|call| call.stage);
        (view.activity.clone(), view.is_changing_activity, stage, view.tasks.clone(), view.unread)
    });
    LiveAgent {
        id: profile.id.to_string(),
        name: profile.name.clone(),
        department: profile.department.clone(),
        activity,
        changing,
        r#where: place,
        sessions: api.sessions.list(profile.id).len(),
        connections: api.events.of(profile.id),
        call,
        tasks: tasks.into_iter().map(task).collect(),
        unread,
    }
}

fn place(api: &Api, view: &View) -> Option<Where> {
    let activity = view.activity.as_ref()?;
    Some(if *activity == api.activities.available {
        Where::Mobile
    } else if api.activities.choices.contains(activity) || api.facts.unavailable_activities().contains(activity) {
        Where::Off
    } else {
        Where::Desktop
    })
}
