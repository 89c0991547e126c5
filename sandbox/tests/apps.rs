//! The agents' app on the page's phones, against a gateway that answers as it is told.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use offdesk_sandbox::{Handle, Options, Sandbox};
use serde_json::{Value, json};

const ADA: &str = "+4915550101001";
const TASK: &str = "WR00000000000000000000000000000001";
const CHAT: &str = "CH00000000000000000000000000000001";

/// A request that came to the gateway: method and path, `Authorization`, body.
type Asked = (String, String, Value);

#[derive(Clone, Default)]
struct Gateway(Arc<Mutex<Vec<Asked>>>);

impl Gateway {
    /// Starts it; returns its URL. It answers 409 as the gateway does when somebody else was faster.
    fn start(&self) -> String {
        let gateway = self.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::new(gateway.clone())).default_service(web::to(Self::answer))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        url
    }

    async fn answer(request: HttpRequest, body: web::Bytes, this: web::Data<Self>) -> HttpResponse {
        let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap_or_default());
        let asked = format!("{} {}", request.method(), request.path());
        let body = serde_json::from_slice(&body).unwrap_or_default();
        this.0.lock().expect("no test has failed").push((asked, authorization.unwrap_or_default().to_owned(), body));
        HttpResponse::build(StatusCode::CONFLICT)
            .content_type("application/problem+json")
            .insert_header(("Retry-After", "3"))
            .json(json!({ "code": "taken" }))
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client")
}

fn start() -> Handle {
    Sandbox::start(Options::default()).expect("the sandbox starts")
}

#[actix_web::test]
async fn the_page_acts_as_the_app_and_hears_what_the_gateway_says() {
    let (sandbox, gateway) = (start(), Gateway::default());
    sandbox.install_app(ADA, &gateway.start(), "a-session").unwrap();
    assert_eq!(sandbox.snapshot().apps, [ADA]);
    let tasks = format!("tasks/{TASK}");
    let chat = format!("conversations/{CHAT}");
    for (method, path, body, asked) in [
        ("POST", format!("{tasks}/accept"), json!({}), format!("POST /api/v1/{tasks}/accept")),
        ("POST", format!("{tasks}/decline"), json!({}), format!("POST /api/v1/{tasks}/decline")),
        ("POST", format!("{tasks}/wrapup"), json!({}), format!("POST /api/v1/{tasks}/wrapup")),
        ("POST", format!("{tasks}/complete"), json!({}), format!("POST /api/v1/{tasks}/complete")),
        ("POST", format!("{chat}/messages"), json!({ "body": "Hello" }), format!("POST /api/v1/{chat}/messages")),
        ("POST", format!("{chat}/read"), json!({ "index": 4 }), format!("POST /api/v1/{chat}/read")),
        ("PUT", "activity".to_owned(), json!({ "activity": "Break" }), "PUT /api/v1/me/activity".to_owned()),
        ("GET", "tasks".to_owned(), Value::Null, "GET /api/v1/tasks".to_owned()),
    ] {
        let url = format!("{}/sandbox/apps/{ADA}/{path}", sandbox.url());
        let mut request = client().request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (409, &"3".parse().unwrap()),
            "{path}"
        );
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "code": "taken" }));
        let came = gateway.0.lock().unwrap().pop().unwrap();
        assert_eq!(came, (asked, "Bearer a-session".to_owned(), body));
    }
}

#[actix_web::test]
async fn nothing_else_gets_to_the_gateway() {
    let (sandbox, gateway) = (start(), Gateway::default());
    sandbox.install_app(ADA, &gateway.start(), "a-session").unwrap();
    for path in [
        format!("{ADA}/tasks/{TASK}/transfer"),
        format!("{ADA}/tasks/{TASK}"),
        format!("{ADA}/me"),
        format!("+4915550101002/tasks/{TASK}/accept"),
    ] {
        let url = format!("{}/sandbox/apps/{path}", sandbox.url());
        let answer = client().post(&url).json(&json!({})).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
    }
    assert!(gateway.0.lock().unwrap().is_empty());
}

#[actix_web::test]
async fn a_gateway_that_does_not_answer_is_told_of() {
    let sandbox = start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    sandbox.install_app(ADA, &format!("http://{}", listener.local_addr().unwrap()), "a-session").unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let answer = client().get(format!("{}/sandbox/apps/{ADA}/tasks", sandbox.url())).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 502);
}
