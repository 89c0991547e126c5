//! The OpenAPI document: served, printed, and about what is there.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::{cli::offdesk, house::Plan};

#[tokio::test]
async fn the_document_is_served_and_printed_and_every_path_in_it_is_there() {
    let house = Plan::default().build().await;
    let answer = house.request(Method::GET, "/openapi.json").send().await.unwrap();
    let served: Value = answer.json().await.unwrap();
    let printed: Value = serde_json::from_slice(&offdesk(&["openapi"]).output().unwrap().stdout).unwrap();
    assert_eq!(served, printed);
    assert!(served["components"]["securitySchemes"]["cookie"].is_object());
    let mut names = BTreeSet::new();
    let mut count = 0;
    for (path, methods) in served["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            names.insert(operation["operationId"].as_str().unwrap());
            let method = method.to_uppercase().parse().unwrap();
            let sid = if path.starts_with("/conv") { "CH" } else { "WR" };
            let named = path.replace("{task}", sid).replace("{conversation}", sid);
            let concrete = named.replace("{session}", "x").replace("{id}", "x").replace("{device}", "x");
            let answer = house.request(method, &concrete).bearer_auth("nobody").send().await.unwrap();
            let status = answer.status().as_u16();
            assert!([200, 400, 401].contains(&status), "{path}: {status}");
            count += 1;
        }
    }
    assert_eq!(count, names.len(), "every operation has a name of its own");
    assert!(count > 30, "{count}");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_told_which_it_takes() {
    let house = Plan::default().build().await;
    for (method, path, allow) in [
        (Method::PUT, "/me", "GET, PATCH"),
        (Method::TRACE, "/me/sessions/0000000000000001", "DELETE"),
        (Method::HEAD, "/admin/agents/x", "DELETE, GET, PATCH"),
        (Method::OPTIONS, "/login", "POST"),
    ] {
        let answer = house.request(method, path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, allow), "{path}");
    }
    for path in ["/me/", "/nothing", "//me", "/admin/agents//sessions"] {
        assert_eq!(house.request(Method::PUT, path).send().await.unwrap().status().as_u16(), 404, "{path}");
    }
}
