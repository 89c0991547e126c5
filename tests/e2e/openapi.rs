//! The OpenAPI document: served, printed, and about what is there.

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
    let mut count = 0;
    for (path, methods) in served["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let sid = if path.starts_with("/conv") { "CH" } else { "WR" };
            let concrete = path.replace("{task}", sid).replace("{conversation}", sid).replace("{session}", "x");
            let answer = house.request(method, &concrete).bearer_auth("nobody").send().await.unwrap();
            let status = answer.status().as_u16();
            assert!([200, 400, 401].contains(&status), "{path}: {status}");
            count += 1;
        }
    }
    assert_eq!(count, 18);
}
