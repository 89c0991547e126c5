//! An agent's tasks: listed, accepted, declined, finished.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::{Value, json};

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

/// The task that a path names; what is no name of one is nobody's task.
fn named(path: &str) -> Result<ReservationSid, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}

async fn list(api: web::Data<Api>, Caller(agent): Caller) -> Answer {
    let (view, now) = (ask::see(&api.directory, agent).await?, api.clock.now());
    let items = view.tasks.into_iter().map(|task| Task::new(task, now)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

async fn show(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    let sid = named(&path)?;
    let view = ask::see(&api.directory, agent).await?;
    let task = view.tasks.into_iter().find(|task| task.reservation == sid).ok_or(Failure::NotFound)?;
    let attributes = api.twilio.task(&task.task).await?.attributes;
    let attributes = serde_json::from_str(&attributes).unwrap_or_else(|_| json!({}));
    Ok(HttpResponse::Ok().json(Task::new(task, api.clock.now()).with_attributes(attributes)))
}

/// Answers once Twilio has brought the agent into the conversation, or with `connecting` if that takes long.
async fn accept(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    let sid = named(&path)?;
    ask::order(&api.directory, agent, Command::Accept(sid.clone())).await??;
    let settled = ask::settled(&api.directory, agent, Wait::Task(sid.clone()));
    tokio::select! {
        settled = settled => settled?,
        () = api.clock.sleep(WORTH_WAITING) => {}
    }
    match ask::progress(&api.directory, agent, &sid).await? {
        Progress::Over => Err(Denial::Gone.into()),
        Progress::Connecting => Ok(HttpResponse::Accepted().json(json!({ "status": "connecting" }))),
        progress => Ok(HttpResponse::Ok().json(json!({ "status": progress }))),
    }
}

async fn decline(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    ask::order(&api.directory, agent, Command::Decline(named(&path)?)).await??;
    Ok(done("declined"))
}

async fn wrap_up(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    finish(&api, agent, named(&path)?, Closing::Wrapup).await
}

async fn complete(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
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
    let body: Value = json!({ "status": status });
    HttpResponse::build(StatusCode::OK).json(body)
}
