//! A service that counts how often it was asked.

use std::sync::atomic::{AtomicU64, Ordering};

use tiny_http::{Response, Server};

static ASKED: AtomicU64 = AtomicU64::new(0);

fn main() {
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".into());
    let server = Server::http(format!("0.0.0.0:{port}")).expect("the port is taken");
    for request in server.incoming_requests() {
        let count = ASKED.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = request.respond(Response::from_string(format!("asked {count} times\n")));
    }
}
