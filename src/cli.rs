//! What is typed, and its conversion to [`Config`], once.
//!
//! Every setting has one name, its path in the configuration file (`room.seats_max`), and comes from the last of these
//! that has it: the defaults, the file, the environment (`TICKROOM_ROOM_SEATS_MAX`), the command line (`--set
//! room.seats_max=16`, or a flag of its own). A new setting needs a line in [`SETTINGS`], and nothing else here.

mod environment;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use serde_json::Value;

use crate::config::{Config, ConfigError, listen_address};
use crate::tools::conformance::ConformanceArgs;
use crate::tools::lag::args::LagArgs;
use crate::tools::stress::args::StressArgs;

/// What is logged unless somebody says otherwise.
const LOG_DEFAULT: &str = "info";

/// What to do.
#[derive(Clone, Debug)]
pub enum Job {
    /// Serve the game.
    Serve(Box<Serve>),
    /// Be a bad network between clients and a server.
    Lag(Box<LagArgs>),
    /// Load a server and measure what its players get.
    Stress(Box<StressArgs>),
    /// Judge a client.
    Conformance(ConformanceArgs),
}

/// Serve the game: how.
#[derive(Clone, Debug, PartialEq)]
pub struct Serve {
    /// All settings.
    pub config: Config,
    /// What to log, in the language of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// What looks like a mistake and keeps nothing from starting: to be logged as warnings.
    pub warnings: Vec<String>,
}

/// Why the command line, the environment or the file cannot be followed. Each names what to change.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A help or version text, or a mistake in the command line: clap's own words and exit code.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The file is not there.
    #[error("cannot read {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// The file is no TOML, or names a setting that does not exist.
    #[error("{0}: {1}")]
    Toml(PathBuf, String),
    /// `--set` without `=`.
    #[error("`--set {0}` needs a name and a value, as in `--set room.seats_max=16`")]
    Set(String),
    /// A setting that does not exist.
    #[error("`{name}` names no setting{meant}; `tickroom serve --help` lists them all")]
    Unknown {
        /// What was typed.
        name: String,
        /// Which may have been meant, as a half sentence.
        meant: String,
    },
    /// A variable whose value is not UTF-8.
    #[error("{0} is no text")]
    NotText(String),
    /// A value of the wrong type.
    #[error("the configuration is wrong: {setting} ({from}): {error}")]
    Value {
        /// Which.
        setting: String,
        /// Where it was set.
        from: String,
        /// What was expected.
        error: serde_json::Error,
    },
    /// A value out of range.
    #[error("the configuration is wrong ({from}): {error}")]
    Range {
        /// Where it was set.
        from: String,
        /// What is possible.
        error: ConfigError,
    },
}

impl CliError {
    /// Prints it as the command line's user expects, and says what to exit with.
    #[must_use]
    pub fn report(&self) -> u8 {
        match self {
            Self::Usage(error) => {
                // Help goes to stdout, mistakes to stderr; if that is closed, nobody reads either.
                let _ = error.print();
                u8::try_from(error.exit_code()).unwrap_or(2)
            }
            other => {
                // If stderr is closed, the exit code says it alone.
                let _ = writeln!(std::io::stderr(), "tickroom: {other}");
                2
            }
        }
    }
}

/// An authoritative multiplayer game server with a demo game to play in the browser.
#[derive(Debug, Parser)]
#[command(name = "tickroom", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the game and its client (what happens without a command, too)
    Serve(ServeArgs),
    /// A bad network between clients and a server, to feel it or to test in it
    Lag(LagArgs),
    /// Load a server with players and measure what they get
    Stress(StressArgs),
    /// Play the server's side of a script to a client, and say which step it gets wrong
    Conformance(ConformanceArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where to listen; port 0 takes any free one and prints it [default: 127.0.0.1:8080]
    ///
    /// `8080` and `localhost:8080` are this machine only, `:8080` and `0.0.0.0:8080` every address of it.
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen_address)]
    listen: Option<SocketAddr>,
    /// Serve the client's files from this folder instead of those built in, to edit them without building
    #[arg(long, value_name = "DIR")]
    client_dir: Option<PathBuf>,
    /// Serve what lies under /assets/ from this folder instead of what is built in
    #[arg(long, value_name = "DIR")]
    assets_dir: Option<PathBuf>,
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE", env = "TICKROOM_CONFIG", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    config: Option<PathBuf>,
    /// Set one setting, as in `--set room.seats_max=16`; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// What to log to stderr: error, warn, info, debug or trace, or more exactly as in `info,tickroom::actors=debug`
    #[arg(long, value_name = "LEVEL", env = "TICKROOM_LOG", default_value = LOG_DEFAULT)]
    log: String,
}

/// Reads the command line, the environment and the file of this process. `game`: the settings below `game.` and what
/// they do, for `--help`.
///
/// # Errors
/// [`CliError`]; its `report` says it to whoever typed.
pub fn read(game: &[(&str, &str)]) -> Result<Job, CliError> {
    read_from(game, std::env::args_os(), std::env::vars_os())
}

/// Reads these arguments (the program's name first) and variables.
///
/// # Errors
/// [`CliError`].
pub fn read_from(
    game: &[(&str, &str)],
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Job, CliError> {
    let settings = settings_help(game);
    let command = Cli::command()
        .after_long_help(settings.clone())
        .mut_subcommand("serve", |serve| serve.after_long_help(settings));
    let cli = Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)?;
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) => Ok(Job::Serve(Box::new(convert(serve, environment)?))),
        Command::Lag(lag) => Ok(Job::Lag(Box::new(lag))),
        Command::Stress(stress) => Ok(Job::Stress(Box::new(stress))),
        Command::Conformance(conformance) => Ok(Job::Conformance(conformance)),
    }
}

fn convert(args: ServeArgs, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Serve, CliError> {
    // An empty variable sets nothing, those of flags neither.
    let file = args.config.filter(|file| !file.as_os_str().is_empty());
    let log = if args.log.trim().is_empty() { LOG_DEFAULT.to_owned() } else { args.log };
    let base = match &file {
        Some(file) => read_file(file)?,
        None => Config::default(),
    };
    // Plain data: there is nothing in it that cannot be shown.
    let mut values = serde_json::to_value(base).unwrap_or_default();
    let names = names_of(&values);
    let (variables, warnings) = environment::read(&names, environment)?;
    let mut from = Origins { file, later: HashMap::new() };
    for variable in variables {
        put(&mut values, &names, &variable.setting, parse(&variable.value))?;
        from.later.insert(variable.setting, variable.name);
    }
    for set in args.set {
        let (name, value) = set.split_once('=').ok_or_else(|| CliError::Set(set.clone()))?;
        put(&mut values, &names, name.trim(), parse(value.trim()))?;
        from.later.insert(name.trim().to_owned(), format!("--set {set}"));
    }
    let mut config: Config = serde_path_to_error::deserialize(values).map_err(|error| {
        let setting = error.path().to_string();
        CliError::Value { from: from.of(&setting), setting, error: error.into_inner() }
    })?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.client_dir = args.client_dir.or(config.client_dir);
    config.assets_dir = args.assets_dir.or(config.assets_dir);
    config.check().map_err(|error| CliError::Range { from: from.of(error.setting), error })?;
    Ok(Serve { config, log, warnings })
}

/// Where settings were set last, for whoever has to mend one.
struct Origins {
    file: Option<PathBuf>,
    later: HashMap<String, String>,
}

impl Origins {
    /// `setting` may lead on into a list, as in `server.allowed_origins[0]`.
    fn of(&self, setting: &str) -> String {
        let setting = setting.split('[').next().unwrap_or(setting);
        match (self.later.get(setting), &self.file) {
            (Some(from), _) => format!("from {from}"),
            (None, Some(file)) => format!("from {} or the defaults", file.display()),
            (None, None) => "from the defaults".to_owned(),
        }
    }
}

fn read_file(file: &Path) -> Result<Config, CliError> {
    let text = std::fs::read_to_string(file).map_err(|error| CliError::File(file.into(), error))?;
    // TOML's own error shows the line; what is wrong between two settings is found when all have been read.
    toml::from_str(&text).map_err(|error| CliError::Toml(file.into(), error.to_string()))
}

/// Sets what `name` leads to. The `[game]` table is the game's own: any name below it may be set.
fn put(values: &mut Value, names: &[String], name: &str, value: Value) -> Result<(), CliError> {
    let unknown =
        || CliError::Unknown { name: name.to_owned(), meant: nearest(name, names.iter().map(String::as_str)) };
    let mut place = values;
    for (depth, part) in name.split('.').enumerate() {
        let table = place.as_object_mut().ok_or_else(unknown)?;
        let is_the_games = depth > 0 && name.starts_with("game.");
        place = match table.get_mut(part) {
            Some(_) => table.get_mut(part).ok_or_else(unknown)?,
            None if is_the_games => table.entry(part).or_insert(Value::Object(serde_json::Map::new())),
            None => return Err(unknown()),
        };
    }
    *place = value;
    Ok(())
}

/// A value as TOML writes it; what is none (an address, a path, a word) is a text.
fn parse(text: &str) -> Value {
    let table: Result<toml::Table, _> = toml::from_str(&format!("value = {text}"));
    let value = table.ok().and_then(|mut table| table.remove("value"));
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The path of every setting.
fn names_of(values: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(table) if path.is_empty() || !table.is_empty() => {
                for (name, value) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(value, &path, out);
                }
            }
            Value::Object(_) => {} // an empty [game]
            _ => out.push(path.to_owned()),
        }
    }
    let mut out = Vec::new();
    walk(values, "", &mut out);
    out
}

/// A half sentence with the name that was most likely meant; empty if none is near.
fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    /// Of the letters of the longer name so many are the same, in the same order.
    const NEAR: f64 = 0.6;
    let near = names.into_iter().map(|name| (strsim::normalized_damerau_levenshtein(typed, name), name));
    let best = near.filter(|(near, _)| *near > NEAR).max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, name)| format!("; did you mean {name}?")).unwrap_or_default()
}

/// What each setting does, in the words of `--help`; `config.rs` says why its limits are what they are.
const SETTINGS: [(&str, &str); 38] = [
    ("listen", "where to listen"),
    ("client_dir", "folder of the client's files, instead of those built in"),
    ("assets_dir", "folder of /assets/, instead of what is built in"),
    ("room.tick_rate", "simulation steps a second, 5 to 240; Arena takes 60 only"),
    ("room.ticks_per_snapshot", "from one snapshot of a session to the next"),
    ("room.seats_max", "people who can play in a room; a view holds 3072 rows"),
    ("room.spectators_max", "people who can watch it"),
    ("room.fill_to", "bots take seats until so many are taken; 0: no bots"),
    ("room.seat_kept_ms", "how long the seat of a lost connection waits for its player"),
    ("room.idle_ms", "how long a room without anybody is kept"),
    ("room.catch_up_ticks_max", "ticks made up at once by a late room; 0: what 83 ms hold"),
    ("server.workers", "threads that serve sockets; 0: one per core"),
    ("server.arbiters", "threads that run rooms; 0: one per core"),
    ("server.sessions_max", "sessions at a time, of some 40 KiB each"),
    ("server.rooms_max", "rooms at a time"),
    ("server.connections_max", "connections that are no sessions; the oldest idle one goes"),
    ("server.keep_alive_ms", "how long such a connection waits for its next request"),
    ("server.allowed_origins", "other sites whose pages may connect, as https://example.com"),
    ("server.hello_ms", "from the upgrade to a session's first message"),
    ("server.reservation_ms", "how long the way into a room may take"),
    ("server.closing_ms", "how long a client has to answer a Close"),
    ("server.ping_ms", "from one WebSocket ping to the next"),
    ("server.idle_ms", "a client silent for so long is closed"),
    ("server.stuck_ms", "who takes nothing and says nothing for so long is cut"),
    ("server.messages_per_second", "messages from a session on average; 0: two a tick"),
    ("server.bytes_per_second", "the same in bytes, frame headers counted"),
    ("server.burst_ms", "how much of both may come at once"),
    ("policy.trusted_proxies", "who may say in X-Forwarded-For or Forwarded for whom they ask"),
    ("policy.exempt", "addresses without the limits below, unless a proxy asks for them"),
    ("policy.connections", "one address's share; more while the server is half empty"),
    ("policy.sessions", "the same of sessions"),
    ("policy.rooms", "the same of rooms that it began"),
    ("policy.requests_per_second", "HTTP requests from one address, on average"),
    ("policy.requests_burst", "how many of them may come at once"),
    ("policy.joins_per_second", "joins from one address, on average"),
    ("policy.joins_burst", "how many of them may come at once"),
    ("policy.wrong_codes_per_minute", "codes of no room that one address may try, on average"),
    ("policy.wrong_codes_burst", "how many of them may come at once"),
];

/// What stands below the flags in `--help`: every setting with its default and what it does.
fn settings_help(game: &[(&str, &str)]) -> String {
    let mut help = String::from(
        "Settings come from the last of these that has them: the defaults below, the --config file (TOML), the \
         environment, the command line. room.seats_max is `seats_max = 16` under [room] in the file, \
         TICKROOM_ROOM_SEATS_MAX=16 in the environment, and `--set room.seats_max=16` here. Settings of the game \
         (game.*) have no variables.\n\nSettings:\n",
    );
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    // Writing to a String cannot fail.
    let mut line = |name: &str, what: &str| {
        let _ = writeln!(help, "  {name:<36} {what}");
    };
    for (name, what) in SETTINGS {
        let value = name.split('.').fold(&defaults, |value, part| &value[part]);
        line(&if value.is_null() { name.to_owned() } else { format!("{name} = {value}") }, what);
    }
    for (name, what) in game {
        line(&format!("game.{name}"), what);
    }
    help.push_str(
        "\nExamples:\n  \
         tickroom                                     play at http://127.0.0.1:8080\n  \
         tickroom --listen 0.0.0.0:8080               let others in\n  \
         tickroom --set room.fill_to=0                no bots\n  \
         tickroom --client-dir client --log debug     edit the client, see every session",
    );
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Serve, CliError> {
        let arguments = ["tickroom"].iter().chain(arguments).map(OsString::from);
        let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        match read_from(&[], arguments, environment)? {
            Job::Serve(serve) => Ok(*serve),
            other => panic!("{other:?} does not serve"),
        }
    }

    #[test]
    fn the_command_line_is_itself_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_setting_is_explained() {
        let mut explained: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
        let mut there = names_of(&serde_json::to_value(Config::default()).expect("plain data"));
        explained.sort_unstable();
        there.sort_unstable();
        assert_eq!(explained, there);
    }

    #[test]
    fn nothing_typed_serves_with_the_defaults() {
        let serve = read(&[], &[("HOME", "x"), ("TICKROOM_LOG", "debug")]).expect("nothing is wrong");
        assert_eq!(serve.config, Config::default());
        assert_eq!(serve, read(&["serve"], &[]).expect("the same, spelled out"));
    }

    #[test]
    fn the_file_gives_way_to_the_environment_and_that_to_the_command_line() {
        let file = std::env::temp_dir().join(format!("tickroom-cli-{}.toml", std::process::id()));
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\n[room]\nseats_max = 10\nfill_to = 1\n[game]\nrocks = 3\n")
            .expect("the folder for temporary files can be written");
        let path = file.to_str().expect("a plain name");
        let in_file = read(&["--config", path], &[]).expect("the file is good").config;
        assert_eq!((in_file.listen.port(), in_file.room.seats_max, in_file.room.fill_to), (1, 10, 1));
        assert_eq!(in_file.game["rocks"], 3);
        let environment = [("TICKROOM_ROOM_SEATS_MAX", "11"), ("TICKROOM_LISTEN", "127.0.0.1:2")];
        let over_file = read(&["--config", path], &environment).expect("the variables are good").config;
        assert_eq!((over_file.listen.port(), over_file.room.seats_max, over_file.room.fill_to), (2, 11, 1));
        let arguments = [
            "serve",
            "--config",
            path,
            "--set",
            "room.seats_max=12",
            "--listen",
            "127.0.0.1:3",
            "--set",
            "game.x.y=true",
        ];
        let over_all = read(&arguments, &environment).expect("the flags are good").config;
        assert_eq!((over_all.listen.port(), over_all.room.seats_max, over_all.room.fill_to), (3, 12, 1));
        assert_eq!(over_all.game["x"]["y"], true);
        std::fs::remove_file(file).expect("it was written above");
    }

    #[test]
    fn lists_and_texts_can_be_set() {
        let origins = r#"server.allowed_origins=["https://a.example", "https://b.example"]"#;
        let config = read(&["--set", origins, "--set", "client_dir=some/where"], &[]).expect("both are good").config;
        assert_eq!(config.server.allowed_origins, ["https://a.example", "https://b.example"]);
        assert_eq!(config.client_dir, Some(PathBuf::from("some/where")));
    }

    #[test]
    fn a_mistake_is_named_wherever_it_is_made() {
        for (arguments, environment, says) in [
            (&["--set", "room.seats=1"][..], &[][..], "`room.seats` names no setting; did you mean room.seats_max?"),
            (&["--set", "xyz=1"], &[], "`xyz` names no setting; `tickroom"),
            (&["--set", "room.seats_max"], &[], "needs a name and a value"),
            (&["--set", "room.seats_max=lots"], &[], "room.seats_max (from --set room.seats_max=lots): invalid type"),
            (&["--set", "room.seats_max=-1"], &[], "room.seats_max (from --set room.seats_max=-1): invalid value"),
            (&["--set", "room.seats_max=70000"], &[], "room.seats_max (from --set"),
            (&["--set", "room=1"], &[], "room (from --set room=1): invalid type"),
            (&["--set", "server.allowed_origins=[1]"], &[], "server.allowed_origins[0] (from --set"),
            (&[], &[("TICKROOM_ROOM_SEATS_MAX", "-1")], "room.seats_max (from TICKROOM_ROOM_SEATS_MAX): invalid value"),
            (&[], &[("TICKROOM_ROOM_SEATS_MAX", "0")], "(from TICKROOM_ROOM_SEATS_MAX): room.seats_max is 0"),
            (&[], &[("TICKROOM_LISTEN", "nowhere")], "listen (from TICKROOM_LISTEN): `nowhere` is no address"),
            (&["--set", "server.allowed_origins=[\"*\"]"], &[], "server.allowed_origins is `*`; it must be origins"),
            (&["--set", "room.seats_max=0"], &[], "room.seats_max is 0; it must be 1 to 16384 seats"),
            (&["--set", "server.messages_per_second=20"], &[], "at least room.tick_rate + 10"),
            (&["--set", "server.idle_ms=100"], &[], "above server.ping_ms"),
            (&["--config", "no-such-file.toml"], &[], "cannot read no-such-file.toml"),
            (
                &["--listen", "example.com:80"],
                &[],
                "`example.com:80` is no address to listen on: it must be 127.0.0.1:8080",
            ),
        ] {
            let error = read(arguments, environment).expect_err(says).to_string();
            assert!(error.contains(says), "{arguments:?} {environment:?}: {error}");
        }
    }

    #[test]
    fn an_address_to_listen_on_is_read_alike_wherever_it_is_written() {
        let every = Config { listen: ([0, 0, 0, 0], 9).into(), ..Config::default() };
        let own = Config { listen: ([127, 0, 0, 1], 9).into(), ..Config::default() };
        assert_eq!(read(&["--listen", ":9"], &[]).expect("good").config, every);
        assert_eq!(read(&["--set", "listen=:9"], &[]).expect("good").config, every);
        assert_eq!(read(&["--set", "listen=9"], &[]).expect("good").config, own);
        assert_eq!(read(&[], &[("TICKROOM_LISTEN", "9")]).expect("good").config, own);
        assert_eq!(read(&[], &[("TICKROOM_LISTEN", "localhost:9")]).expect("good").config, own);
    }

    #[test]
    fn a_variable_that_names_no_setting_is_a_warning() {
        let serve =
            read(&[], &[("TICKROOM_SEATS_MAX", "3"), ("TICKROOM_PORT", "tcp://10.0.0.1:8080")]).expect("it starts");
        assert_eq!(serve.config, Config::default());
        assert_eq!(serve.warnings.len(), 1);
        assert!(serve.warnings[0].contains("TICKROOM_SEATS_MAX names no setting"), "{:?}", serve.warnings);
    }

    #[test]
    fn help_lists_every_setting_with_its_default() {
        let help = read(&["serve", "--help"], &[]).expect_err("help is no job").to_string();
        for line in
            ["room.tick_rate = 60", "server.hello_ms = 5000", "listen = \"127.0.0.1:8080\"", "TICKROOM_ROOM_SEATS_MAX"]
        {
            assert!(help.contains(line), "{line} is missing in\n{help}");
        }
    }
}
