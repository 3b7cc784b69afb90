//! The routes as browsers meet them: files, links, caching, headers, and no way out of a folder.

mod support;

use std::path::PathBuf;

use support::sockets::{Server, config};
use tickroom::config::Config;

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(is, _)| is.eq_ignore_ascii_case(name)))
        .map(|(_, it)| it)
}

#[tokio::test]
async fn assets_are_built_in_typed_and_cached_by_their_content() {
    let server = Server::start(config());
    for (path, kind) in [
        ("/assets/arena/tuning.json", "application/json"),
        ("/assets/arena/sine.json", "application/json"),
        ("/protocol/index.js", "text/javascript; charset=utf-8"),
    ] {
        let (status, head, body) = server.http("GET", path, "").await;
        assert_eq!((status, header(&head, "content-type")), (200, Some(kind)), "{path}: {head}");
        let on_disk = match path.strip_prefix("/assets/") {
            Some(asset) => format!("assets/{asset}"),
            None => format!("client{path}"),
        };
        assert_eq!(body, std::fs::read(&on_disk).expect("the file is in the repository"), "{path}");
        let tag = header(&head, "etag").expect("a file has a tag");
        assert_eq!(header(&head, "cache-control"), Some("no-cache"));
        let asks = format!("If-None-Match: \"other\", W/{tag}\r\n");
        let (status, head, body) = server.http("GET", path, &asks).await;
        assert_eq!((status, body.len(), header(&head, "etag")), (304, 0, Some(tag)), "{path}");
        let (status, head, body) = server.http("HEAD", path, "").await;
        assert_eq!((status, body.len()), (200, 0), "{path}: {head}");
    }
}

#[tokio::test]
async fn what_is_no_part_of_the_page_is_not_served() {
    let server = Server::start(config());
    for path in [
        "/nothing.js",
        "/assets/golden/movement.json",
        "/test/view.test.js",
        "/python/tickroom.py",
        "/assets/",
        "/package.json",
    ] {
        assert_eq!(server.http("GET", path, "").await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_its_security_headers() {
    let server = Server::start(config());
    for path in ["/assets/arena/tuning.json", "/nothing", "/api/rooms", "/health", "/r/BCDF", "/ws"] {
        let (_, head, _) = server.http("GET", path, "").await;
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
            assert!(header(&head, name).is_some(), "{path} has no {name}: {head}");
        }
    }
}

#[tokio::test]
async fn a_room_link_leads_to_the_page_with_the_code() {
    let server = Server::start(config());
    let (status, head, _) = server.http("GET", "/r/bcdf", "").await;
    assert_eq!((status, header(&head, "location")), (302, Some("../?room=BCDF")));
    for path in ["/r/%2F%2Fevil.example", "/r/b%0D%0AX-Evil:%201", "/r/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let (status, head, _) = server.http("GET", path, "").await;
        assert_eq!((status, header(&head, "location"), header(&head, "x-evil")), (404, None, None), "{path}");
    }
}

#[tokio::test]
async fn health_and_the_list_of_rooms_are_never_cached() {
    let server = Server::start(config());
    let (status, head, body) = server.http("GET", "/health", "").await;
    assert_eq!((status, body.as_slice(), header(&head, "cache-control")), (200, &b"ok\n"[..], Some("no-store")));
    let (status, head, body) = server.http("GET", "/api/rooms", "").await;
    assert_eq!((status, body.as_slice()), (200, &b"{\"rooms\":[]}"[..]));
    assert_eq!(
        (header(&head, "content-type"), header(&head, "cache-control")),
        (Some("application/json"), Some("no-store"))
    );
}

#[tokio::test]
async fn a_folder_is_served_as_it_changes_and_nothing_outside_of_it() {
    let root = std::env::temp_dir().join(format!("tickroom-http-{}", std::process::id()));
    let client: PathBuf = root.join("client");
    std::fs::create_dir_all(client.join("sub")).expect("the folder for temporary files can be written");
    std::fs::write(client.join("index.html"), "one").expect("as above");
    std::fs::write(client.join("sub/a.js"), "a").expect("as above");
    std::fs::write(client.join(".secret"), "s").expect("as above");
    std::fs::write(root.join("outside.txt"), "o").expect("as above");
    std::os::unix::fs::symlink(root.join("outside.txt"), client.join("link.txt")).expect("as above");
    let server = Server::start(Config { client_dir: Some(client.clone()), ..config() });
    let (status, head, body) = server.http("GET", "/?room=BCDF", "").await;
    assert_eq!((status, body.as_slice()), (200, &b"one"[..]));
    let tag = header(&head, "etag").expect("a file has a tag").to_owned();
    std::fs::write(client.join("index.html"), "two").expect("as above");
    let (status, _, body) = server.http("GET", "/", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((status, body.as_slice()), (200, &b"two"[..]));
    assert_eq!(server.http("GET", "/sub/a.js", "").await.0, 200);
    for path in [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/sub/../../outside.txt",
        "/sub/%2e%2e/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/..%5coutside.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/link.txt",
        "/.secret",
        "/sub",
        "/index.html%00.js",
    ] {
        assert_eq!(server.http("GET", path, "").await.0, 404, "{path}");
    }
    std::fs::remove_dir_all(root).expect("it was written above");
}
