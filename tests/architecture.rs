//! The walls of the house, as tests: who may use whom, and what must not appear where. Each rule says why it is there;
//! a rule without a why may be deleted. It reads the sources as text, so it also holds what the compiler cannot.
//!
//! No rule looks inside comments, strings or `#[cfg(test)]` items unless it says so.

#[path = "architecture/source.rs"]
mod source;

use source::{Source, crate_paths, name_of_module, sources, text_files};

/// One row per module of the crate: what it may use, and why no more.
struct Arrow {
    module: &'static str,
    may_use: &'static [&'static str],
    why: &'static str,
}

/// The arrows of the design. A path in `may_use` opens everything below it.
const ARROWS: &[Arrow] = &[
    Arrow { module: "ids", may_use: &[], why: "everything may use ids, so ids use nothing" },
    Arrow {
        module: "protocol",
        may_use: &["ids"],
        why: "a client author takes the protocol without server, room or game",
    },
    Arrow {
        module: "sim",
        may_use: &["ids", "game", "protocol::schema"],
        why: "the kit knows rows and inputs as data, but no message and no wire",
    },
    Arrow { module: "game", may_use: &["ids", "protocol", "sim"], why: "the seam knows both sides and no game" },
    Arrow { module: "config", may_use: &["ids", "protocol"], why: "validated plain data, which every layer is handed" },
    Arrow {
        module: "policy",
        may_use: &["ids", "config"],
        why: "what an address may take is decided without clock, lock and socket",
    },
    Arrow {
        module: "room",
        may_use: &["ids", "config", "protocol", "sim", "game"],
        why: "the pure room runs any game, without server and clock",
    },
    Arrow {
        module: "arena",
        may_use: &["ids", "game", "sim", "protocol::schema"],
        why: "a game sees the seam, not the messages: another game could take its place",
    },
    Arrow {
        module: "metrics",
        may_use: &["ids", "protocol::close"],
        why: "labels are our own enums, never a peer's text",
    },
    Arrow { module: "host", may_use: &[], why: "what the system is asked for, by whoever needs it" },
    Arrow {
        module: "actors",
        may_use: &["ids", "config", "policy", "protocol", "game", "room", "metrics", "host"],
        why: "thin actors around the room: they know no route, no command line and no particular game",
    },
    Arrow {
        module: "http",
        may_use: &["ids", "config", "policy", "protocol", "game", "room", "metrics", "actors"],
        why: "routes lead to actors; wiring is server.rs's",
    },
    Arrow {
        module: "server",
        may_use: &["ids", "config", "policy", "protocol", "game", "room", "metrics", "host", "actors", "http"],
        why: "wiring: it knows every part of the server and no game, no command line",
    },
    Arrow {
        module: "tools",
        may_use: &["ids", "config", "protocol", "sim", "game", "room", "host"],
        why: "tools are clients of the protocol, not parts of the server",
    },
    Arrow {
        module: "cli",
        may_use: &["config", "tools"],
        why: "what is typed becomes Config here, and nothing else happens",
    },
    Arrow {
        module: "main",
        may_use: &["cli", "config", "host", "server", "tools", "arena", "game"],
        why: "parse, set up, run::<Arena>, exit code",
    },
];

/// Every use of a crate path from each module against [`ARROWS`].
#[test]
fn modules_use_only_what_the_design_lets_them() {
    let mut broken = Vec::new();
    for file in sources("src") {
        let module = name_of_module(&file.path);
        if module == "lib" || file.is_test() {
            continue; // lib.rs declares and re-exports the others; tests may take what they need
        }
        let Some(arrow) = ARROWS.iter().find(|arrow| arrow.module == module) else {
            broken.push(format!("{}: module `{module}` has no row in ARROWS: add one, with a why", file.path));
            continue;
        };
        for used in crate_paths(&file) {
            let top = used.path.split("::").next().unwrap_or_default();
            let allowed = arrow.may_use.iter().any(|open| {
                used.path == *open || used.path.strip_prefix(open).is_some_and(|rest| rest.starts_with("::"))
            });
            // A macro or an item of the crate's root has no module to judge.
            let is_module = ARROWS.iter().any(|arrow| arrow.module == top);
            if is_module && top != module && !allowed {
                broken.push(format!("{}:{}: {module} may not use {} ({})", file.path, used.line, used.path, arrow.why));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Words that may stand in some files only.
struct Ban {
    words: &'static [&'static str],
    /// Files and folders that the rule looks at.
    inside: &'static [&'static str],
    /// Files and folders in which the words may stand all the same.
    except: &'static [&'static str],
    why: &'static str,
}

const PURE: &[&str] = &["src/ids.rs", "src/protocol", "src/sim", "src/game.rs", "src/policy", "src/room", "src/arena"];

const EVERYWHERE: &[&str] = &["src", "tests", "benches"];

const BANS: &[Ban] = &[
    Ban {
        words: &["bincode"],
        inside: EVERYWHERE,
        except: &["src/protocol/codec.rs"],
        why: "codec is the only file that names bincode, so that it can be replaced without a wire change",
    },
    Ban {
        words: &["arena"],
        inside: &["src"],
        except: &["src/arena", "src/lib.rs", "src/main.rs"],
        why: "Arena is one game of many: the server must not know that it exists",
    },
    Ban {
        words: &["actix_web_actors", "WebsocketContext", "WsResponseBuilder", "handshake"],
        inside: &["src"],
        except: &["src/http/upgrade.rs", "src/actors/session.rs", "src/actors/session"],
        why: "only http/upgrade.rs upgrades, and only the session actor knows what it was upgraded to",
    },
    Ban {
        words: &["actix", "actix_web", "actix_http", "tokio", "futures_util", "socket2", "tracing", "clap", "rlimit"],
        inside: PURE,
        except: &[],
        why: "the pure part is built without the server's crates, into wasm too",
    },
    Ban {
        words: &["Instant", "SystemTime", "std::time", "std::net", "std::fs", "std::thread", "std::io", "std::env"],
        inside: PURE,
        except: &[],
        why: "time, bytes and threads come from outside as parameters, so that a test can own them",
    },
    Ban {
        words: &["rand", "rand_chacha"],
        inside: PURE,
        except: &[],
        why: "seeds and tokens come in as parameters; the simulation has a generator of its own",
    },
    Ban {
        words: &["f32", "f64"],
        inside: &["src/arena", "src/sim", "src/game.rs"],
        except: &[],
        why: "integers only: floats differ between machines and languages",
    },
    Ban {
        words: &["HashMap", "HashSet", "hash_map", "hash_set", "RandomState"],
        inside: &["src/arena", "src/sim", "src/game.rs"],
        except: &[],
        why: "the order of a hash map is different in each process, and a step must not depend on it",
    },
    Ban {
        words: &["ctrl_c", "signal", "SignalKind"],
        inside: &["src"],
        except: &["src/main.rs"],
        why: "whoever runs the server owns its signals: main.rs here, a test elsewhere",
    },
    Ban {
        words: &["do_send"],
        inside: &["src"],
        except: &["src/actors", "src/server.rs"],
        why: "do_send ignores the mailbox's limit: every send answers, and the answer is looked at",
    },
    Ban {
        words: &["println", "print!", "eprintln", "eprint"],
        inside: &["src"],
        except: &[],
        why: "they panic where nobody can read: log, say it through host::log, or write and look at the answer",
    },
    Ban {
        words: &["process::exit", "unreachable_unchecked"],
        inside: &["src"],
        except: &["src/main.rs"],
        why: "only main ends the process: everything else returns",
    },
];

#[test]
fn words_stand_only_where_the_design_lets_them() {
    let mut broken = Vec::new();
    for ban in BANS {
        for file in EVERYWHERE.iter().copied().flat_map(sources) {
            let within = |places: &[&str]| {
                places.iter().any(|place| {
                    file.path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
            };
            if !within(ban.inside) || within(ban.except) || (file.is_test() && ban.inside != EVERYWHERE) {
                continue;
            }
            for word in ban.words {
                for line in file.lines_with(word) {
                    broken.push(format!("{}:{line}: `{word}` ({})", file.path, ban.why));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The rules above judge text: a rule that cannot see what it forbids would pass for ever.
#[test]
fn the_rules_see_what_they_forbid() {
    let text = r##"
        //! A comment may say bincode, "and quote it".
        use crate::{ids::Tick, room::{self, Room as R}};
        use super::close::CloseReason;
        fn f<'a>(x: &'a str) -> char { let _ = r#"std::fs "in" a string"#; crate::arena::Arena::new(); '"' }
        /* a /* nested */ comment: HashMap */
        fn g() -> f64 { 1.0 }
        #[cfg(test)]
        mod tests { use crate::server::run; fn h() { let _ = [1]; std::fs::read("}").ok(); } }
        fn after() { std::fs::read("x").ok(); }
    "##;
    let file = Source::new("src/protocol/view.rs", text);
    let used: Vec<String> = crate_paths(&file).into_iter().map(|used| used.path).collect();
    assert_eq!(used, ["ids::Tick", "room", "room::Room", "protocol::close::CloseReason", "arena::Arena::new"]);
    assert_eq!(file.lines_with("bincode"), Vec::<usize>::new());
    assert_eq!(file.lines_with("HashMap"), Vec::<usize>::new());
    assert_eq!(file.lines_with("f64"), [7]);
    assert_eq!(file.lines_with("std::fs"), [10]);
    assert_eq!(file.lines_with("r"), Vec::<usize>::new(), "a word is not a part of a word");
    let root = Source::new("src/room/mod.rs", "use super::sim::clock; use self::seats::Seat; use super::super::x;");
    let used: Vec<String> = crate_paths(&root).into_iter().map(|used| used.path).collect();
    assert_eq!(used, ["sim::clock", "room::seats::Seat", "x"]);
    let main = Source::new("src/main.rs", "use tickroom::arena::Arena; use tickroom as t;");
    let used: Vec<String> = crate_paths(&main).into_iter().map(|used| used.path).collect();
    assert_eq!(used, ["arena::Arena", ""]);
}

/// A file that is longer has a second job, and that job wants a file.
const LINES_MAX: usize = 600;

/// Files that may be longer, each with its own limit, which may only fall.
const LONGER: &[(&str, usize)] = &[];

#[test]
fn no_file_grows_past_its_limit() {
    let mut broken = Vec::new();
    for (path, text) in text_files(&["src", "client", "tests", "benches"], &["rs", "js", "py", "css", "html"]) {
        let limit = LONGER.iter().find(|(file, _)| *file == path).map_or(LINES_MAX, |(_, limit)| *limit);
        let lines = text.lines().count();
        if lines > limit {
            broken.push(format!("{path} has {lines} lines, at most {limit}: give its second job a file"));
        }
    }
    for (path, _) in LONGER {
        let lines = source::read(path).lines().count();
        if lines <= LINES_MAX {
            broken.push(format!("{path} has {lines} lines: it needs no limit of its own any more"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Looks at comments and strings too.
#[test]
fn nothing_is_left_for_later_and_no_machine_is_named() {
    // Put together here, so that this file does not find itself.
    let later = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let machine = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    let mut broken = Vec::new();
    let folders = ["src", "client", "tests", "benches", "assets", ".ci", ".github", "."];
    let endings = ["rs", "js", "py", "css", "html", "md", "toml", "json", "yml", "all", "run"];
    for (path, text) in text_files(&folders, &endings) {
        for (at, line) in text.lines().enumerate() {
            for word in later {
                if line.contains(word) {
                    broken.push(format!(
                        "{path}:{}: {word} (do it, or write an issue: a note in code is read by nobody)",
                        at + 1
                    ));
                }
            }
            for place in machine {
                if line.contains(place) {
                    broken.push(format!("{path}:{}: {place} (works on one machine only)", at + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Without `harness = false` a criterion bench is built, run, and silently measures nothing.
#[test]
fn every_bench_is_registered_without_the_test_harness() {
    let manifest = source::read("Cargo.toml");
    let tables: Vec<&str> = manifest.split("\n[").collect();
    for file in sources("benches") {
        let Some(name) = file.path.strip_prefix("benches/").and_then(|path| path.strip_suffix(".rs")) else { continue };
        if name.contains('/') {
            continue; // a part of a bench
        }
        let named = format!("name = \"{name}\"");
        let registered = tables.iter().any(|table| {
            table.starts_with("[bench]]")
                && table.lines().any(|line| line == named)
                && table.lines().any(|line| line == "harness = false")
        });
        assert!(registered, "{}: Cargo.toml needs [[bench]] name = \"{name}\", harness = false", file.path);
    }
}

/// What a folder of the client may import, and which of the page's own names it must not touch.
struct ClientWall {
    folder: &'static str,
    may_import: &'static [&'static str],
    must_not_name: &'static [&'static str],
    /// The file that hands the folder what the browser has; only a page loads it.
    except: &'static str,
    why: &'static str,
}

const PAGE: &[&str] = &[
    "document",
    "window",
    "localStorage",
    "sessionStorage",
    "requestAnimationFrame",
    "navigator",
    "location",
    "alert",
];
const CLOCKS: &[&str] = &[
    "document",
    "window",
    "localStorage",
    "sessionStorage",
    "requestAnimationFrame",
    "navigator",
    "location",
    "alert",
    "performance",
    "Date",
    "setTimeout",
    "setInterval",
    "WebSocket",
    "Math.random",
];

const CLIENT_WALLS: &[ClientWall] = &[
    ClientWall {
        folder: "client/protocol",
        may_import: &["client/protocol"],
        must_not_name: CLOCKS,
        except: "",
        why: "this folder is lifted alone into other projects: it imports nothing and knows no page",
    },
    ClientWall {
        folder: "client/net",
        may_import: &["client/net", "client/predict", "client/protocol"],
        must_not_name: CLOCKS,
        except: "client/net/browser.js",
        why: "time, transport and storage are parameters, so that Node runs it on a virtual clock",
    },
    ClientWall {
        folder: "client/predict",
        may_import: &["client/predict", "client/protocol"],
        must_not_name: CLOCKS,
        except: "",
        why: "prediction knows no game and no clock: both are parameters",
    },
    ClientWall {
        folder: "client/arena/movement.js",
        may_import: &["client/arena"],
        must_not_name: PAGE,
        except: "",
        why: "the mirror of the Rust movement runs in the page and in a headless harness",
    },
];

#[test]
fn the_clients_folders_import_only_what_the_design_lets_them() {
    let mut broken = Vec::new();
    for (path, text) in text_files(&["client"], &["js"]) {
        let file = Source::new(&path, &text);
        for import in source::imports(&path, &text) {
            if !import.target.starts_with("client/") && !path.starts_with("client/test/") {
                broken.push(format!(
                    "{path}:{}: imports {} (the client has no dependency and no build step)",
                    import.line, import.target
                ));
            }
            for wall in CLIENT_WALLS.iter().filter(|wall| path.starts_with(wall.folder)) {
                if !wall.may_import.iter().any(|open| import.target.starts_with(open)) {
                    broken.push(format!("{path}:{}: imports {} ({})", import.line, import.target, wall.why));
                }
            }
        }
        for wall in CLIENT_WALLS.iter().filter(|wall| path.starts_with(wall.folder) && path != wall.except) {
            for word in wall.must_not_name {
                for line in file.lines_with_global(word) {
                    broken.push(format!("{path}:{line}: `{word}` ({})", wall.why));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// A link that leads nowhere, or a file that a page names and nobody has.
#[test]
fn relative_links_in_the_texts_lead_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in text_files(&["src", "client", "tests", "assets", "."], &["md"]) {
        for (at, line) in text.lines().enumerate() {
            for (start, _) in line.match_indices("](") {
                let target = line[start + 2..].split([')', '#', ' ']).next().unwrap_or_default();
                if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if !source::exists_beside(&path, target) {
                    broken.push(format!("{path}:{}: there is no {target}", at + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
