//! An agent's tasks: listed, accepted, declined, finished.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Answer, Api, WORTH_WAITING,
    auth::Caller,
    failure::Failure,
    shape::{Page, Task},
};
use crate::{
    actors::ask::{self, Closing, Command, Denial, Progress, Wait},
    domain::{AgentId, ReservationSid},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/tasks", web::get().to(list))
        .route("/tasks/{task}", web::get().to(show))
        .route("/tasks/{task}/accept", web::post().to(accept))
        .route("/tasks/{task}/decline", web::post().to(decline))
        .route("/tasks/{task}/wrapup", web::post().to(wrap_up))
        .route("/tasks/{task}/complete", web::post().to(complete));
}

/// How far a task has come.
#[derive(Serialize, ToSchema)]
pub(super) struct TaskStatus {
    #[schema(value_type = String, example = "accepted")]
    status: Value,
}

/// The task that a path names; what is no name of one is nobody's task.
fn named(path: &str) -> Result<ReservationSid, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}

/// My tasks, those on offer included.
#[utoipa::path(
    get, operation_id = "listTasks", path = "/tasks", tag = "tasks",
    responses(
        (status = 200, description = "The tasks", body = Page<Task>),
    ),
)]
pub(super) async fn list(api: web::Data<Api>, Caller(agent): Caller) -> Answer {
    let (view, now) = (ask::glance(&api.views, &api.directory, agent).await?, api.clock.now());
    let items = view.tasks.iter().map(|task| Task::new(task.clone(), now)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// One of my tasks, with its attributes.
#[utoipa::path(
    get, operation_id = "showTask", path = "/tasks/{task}", tag = "tasks",
    params(("task" = String, Path, description = "The reservation's sid", example = "WR0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "The task", body = Task),
        (status = 404, description = "You have no such task"),
    ),
)]
pub(super) async fn show(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    let sid = named(&path)?;
    let view = ask::see(&api.directory, agent).await?;
    let task = view.tasks.iter().find(|task| task.reservation == sid).ok_or(Failure::NotFound)?;
    let attributes = api.twilio.task(&task.task).await?.attributes;
    let attributes = serde_json::from_str(&attributes).unwrap_or_else(|_| json!({}));
    Ok(HttpResponse::Ok().json(Task::new(task.clone(), api.clock.now()).with_attributes(attributes)))
}

/// Accept an offer. Answers once Twilio has brought the agent into the conversation, or with `connecting` if that takes long.
#[utoipa::path(
    post, operation_id = "acceptTask", path = "/tasks/{task}/accept", tag = "tasks",
    params(("task" = String, Path, description = "The reservation's sid", example = "WR0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "Accepted", body = TaskStatus),
        (status = 202, description = "Twilio has not said yet", body = TaskStatus),
        (status = 404, description = "You have no such task"),
        (status = 409, description = "`taken`, `gone` or `not_pending`"),
    ),
)]
pub(super) async fn accept(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    let sid = named(&path)?;
    ask::order(&api.directory, agent, Command::Accept(sid.clone())).await??;
    let settled = ask::settled(&api.directory, agent, Wait::Task(sid.clone()));
    tokio::select! {
        settled = settled => settled?,
        () = api.clock.sleep(WORTH_WAITING) => {}
    }
    match ask::progress(&api.directory, agent, &sid).await? {
        Progress::Over => Err(Denial::Gone.into()),
        Progress::Connecting => Ok(HttpResponse::Accepted().json(TaskStatus { status: "connecting".into() })),
        progress => Ok(HttpResponse::Ok().json(TaskStatus { status: json!(progress) })),
    }
}

/// Decline an offer.
#[utoipa::path(
    post, operation_id = "declineTask", path = "/tasks/{task}/decline", tag = "tasks",
    params(("task" = String, Path, description = "The reservation's sid", example = "WR0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "Done", body = TaskStatus),
        (status = 404, description = "You have no such task"),
        (status = 409, description = "`taken`, `gone`, `not_pending` or `not_accepted`"),
    ),
)]
pub(super) async fn decline(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    ask::order(&api.directory, agent, Command::Decline(named(&path)?)).await??;
    Ok(done("declined"))
}

/// End the talk; the work after it goes on.
#[utoipa::path(
    post, operation_id = "wrapUpTask", path = "/tasks/{task}/wrapup", tag = "tasks",
    params(("task" = String, Path, description = "The reservation's sid", example = "WR0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "Done", body = TaskStatus),
        (status = 404, description = "You have no such task"),
        (status = 409, description = "`taken`, `gone`, `not_pending` or `not_accepted`"),
    ),
)]
pub(super) async fn wrap_up(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    finish(&api, agent, named(&path)?, Closing::Wrapup).await
}

/// Be done with a task.
#[utoipa::path(
    post, operation_id = "completeTask", path = "/tasks/{task}/complete", tag = "tasks",
    params(("task" = String, Path, description = "The reservation's sid", example = "WR0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "Done", body = TaskStatus),
        (status = 404, description = "You have no such task"),
        (status = 409, description = "`taken`, `gone`, `not_pending` or `not_accepted`"),
    ),
)]
pub(super) async fn complete(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    finish(&api, agent, named(&path)?, Closing::Complete).await
}

/// The gateway owes Twilio the end of the task from here on, however long Twilio is away: the agent is done with it.
async fn finish(api: &Api, agent: AgentId, task: ReservationSid, how: Closing) -> Answer {
    ask::order(&api.directory, agent, Command::Finish { task, how }).await??;
    Ok(done(match how {
        Closing::Wrapup => "wrapping",
        Closing::Complete => "completed",
    }))
}

fn done(status: &str) -> HttpResponse {
    HttpResponse::Ok().json(TaskStatus { status: status.into() })
}
