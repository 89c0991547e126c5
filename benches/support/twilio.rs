//! A Twilio that keeps nothing and answers at once. It notes when it is told to connect a call.

use std::net::SocketAddr;
use std::time::Instant;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev, web};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::sid;

/// That the gateway gave the instruction for a reservation.
#[derive(Debug)]
pub(crate) struct Instruction {
    pub(crate) reservation: String,
    pub(crate) at: Instant,
}

/// More than any benchmark causes: none is lost.
const CAPACITY: usize = 100_000;

/// Listens on a free port, in a thread of its own.
pub(crate) fn start() -> (SocketAddr, mpsc::Receiver<Instruction>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let server = move || App::new().app_data(web::Data::new(sender.clone())).default_service(web::to(answer));
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(server).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
            tell.send(server.addrs()[0]).unwrap();
            let running: dev::Server = server.run();
            running.await.unwrap();
        });
    });
    (told.recv().unwrap(), receiver)
}

async fn answer(request: HttpRequest, body: web::Bytes, noted: web::Data<mpsc::Sender<Instruction>>) -> HttpResponse {
    let at = Instant::now();
    let parts: Vec<_> = request.path().trim_start_matches('/').split('/').collect();
    let (collection, last) = (parts.iter().rev().nth(1).copied(), parts.last().copied().unwrap_or_default());
    match (request.method().as_str(), collection, last) {
        ("GET", _, "Activities") => {
            page("activities", &[activity(1, "Available on Mobile", true), activity(2, "Offline", false)])
        }
        ("GET", _, list @ ("Events" | "Reservations")) => page(&list.to_lowercase(), &[]),
        ("GET", Some("Workflows"), workflow) => {
            HttpResponse::Ok().json(json!({ "sid": workflow, "task_reservation_timeout": 120 }))
        }
        ("GET", Some("Workers"), worker) => HttpResponse::Ok().json(worker_of(worker)),
        ("GET", Some("Reservations"), _) => HttpResponse::Ok().json(reservation_of(&parts)),
        ("GET", _, "Conferences.json") => HttpResponse::Ok().json(json!({ "conferences": [], "next_page_uri": null })),
        ("POST", Some("Reservations"), reservation) => {
            if form_urlencoded::parse(&body).any(|(name, value)| name == "Instruction" && value == "conference") {
                noted.try_send(Instruction { reservation: reservation.to_owned(), at }).unwrap();
            }
            HttpResponse::Ok().json(reservation_of(&parts))
        }
        _ => HttpResponse::NotFound()
            .json(json!({ "code": 20404, "message": "not found", "more_info": "", "status": 404 })),
    }
}

fn page(name: &str, items: &[Value]) -> HttpResponse {
    let meta = json!({
        "key": name, "page": 0, "page_size": 50, "first_page_url": "", "url": "", "previous_page_url": null, "next_page_url": null,
    });
    HttpResponse::Ok().json(json!({ name: items, "meta": meta }))
}

fn activity(number: usize, name: &str, available: bool) -> Value {
    json!({ "sid": sid("WA", number), "account_sid": sid("AC", 1), "friendly_name": name, "available": available })
}

fn worker_of(sid_of_it: &str) -> Value {
    json!({
        "sid": sid_of_it, "friendly_name": sid_of_it, "activity_sid": sid("WA", 1), "activity_name": "Available on Mobile",
        "available": true, "attributes": "{}", "date_status_changed": "2026-01-01T00:00:00Z",
    })
}

/// `/v1/Workspaces/WS…/Tasks/WT…/Reservations/WR…`; a worker's path holds the worker instead of the task.
fn reservation_of(parts: &[&str]) -> Value {
    let named =
        |collection: &str| parts.iter().skip_while(|part| **part != collection).nth(1).map(|sid| (*sid).to_owned());
    let reservation = named("Reservations").unwrap_or_default();
    let number = usize::from_str_radix(reservation.get(2..).unwrap_or_default(), 16).unwrap_or_default();
    json!({
        "sid": reservation, "task_sid": named("Tasks").unwrap_or_else(|| sid("WT", number)),
        "worker_sid": named("Workers").unwrap_or_else(|| sid("WK", number)), "reservation_status": "pending",
    })
}
