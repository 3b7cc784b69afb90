//! Which variables of the environment are settings, and which only look like some.

use std::ffi::OsString;

use super::{CliError, nearest};

/// Variables of the environment that are settings begin with this.
const PREFIX: &str = "TICKROOM_";
/// Variables that belong to flags of the program, not to the configuration.
const OF_FLAGS: [&str; 2] = ["TICKROOM_CONFIG", "TICKROOM_LOG"];

/// A variable that sets something.
pub(super) struct Variable {
    /// Its name.
    pub name: String,
    /// The setting's path.
    pub setting: String,
    /// What it says; never empty: an empty variable sets nothing.
    pub value: String,
}

/// The variable that sets the setting of this path.
pub(super) fn variable_of(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_ascii_uppercase().replace('.', "_"))
}

/// The variables that set one of `settings`, in the order of their names, and a sentence for each that sets none although
/// it looks so: the environment is shared with others, so a stranger in it keeps no server from starting.
///
/// # Errors
/// A setting's value is no text.
pub(super) fn read(
    settings: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Vec<Variable>, Vec<String>), CliError> {
    let mut ours: Vec<(String, OsString)> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !OF_FLAGS.contains(&name.as_str()) && !value.is_empty())
        .collect();
    ours.sort();
    let (mut variables, mut warnings) = (Vec::new(), Vec::new());
    for (name, value) in ours {
        match settings.iter().find(|setting| variable_of(setting) == name) {
            Some(setting) => {
                let value = value.into_string().map_err(|_| CliError::NotText(name.clone()))?;
                variables.push(Variable { name, setting: setting.clone(), value });
            }
            None if is_a_service_link(&name, &value.to_string_lossy()) => {}
            None => {
                let known: Vec<String> = settings.iter().map(|setting| variable_of(setting)).collect();
                // Without the prefix: by that alone all would be alike.
                let known = known.iter().map(String::as_str).chain(OF_FLAGS).map(|known| &known[PREFIX.len()..]);
                let meant = nearest(&name[PREFIX.len()..], known).replace("mean ", &format!("mean {PREFIX}"));
                warnings.push(format!("the environment variable {name} names no setting and is passed over{meant}"));
            }
        }
    }
    Ok((variables, warnings))
}

/// True for what an orchestrator sets in every container for a service called `tickroom` or `tickroom-something`:
/// <https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables>.
fn is_a_service_link(name: &str, value: &str) -> bool {
    let transports = ["TCP", "UDP", "SCTP"];
    // TICKROOM_PORT_8080_TCP, and the same with _PROTO, _PORT and _ADDR.
    let of_a_port = name.match_indices("PORT_").any(|(at, found)| {
        let mut words = name[at + found.len()..].split('_');
        let number = words.next().is_some_and(|number| number.parse::<u16>().is_ok());
        let transport = words.next().is_some_and(|word| transports.contains(&word));
        number && transport && matches!((words.next(), words.next()), (None | Some("PROTO" | "PORT" | "ADDR"), None))
    });
    let is_url =
        transports.iter().any(|transport| value.starts_with(&format!("{}://", transport.to_ascii_lowercase())));
    of_a_port
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(environment: &[(&str, &str)]) -> Vec<String> {
        let settings = ["room.seats_max".to_owned(), "listen".to_owned()];
        let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let (variables, warnings) = read(&settings, environment).expect("all are texts");
        assert!(variables.is_empty(), "none of them is a setting");
        warnings
    }

    #[test]
    fn what_an_orchestrator_sets_for_a_service_of_our_name_is_passed_over() {
        let quiet = [
            ("TICKROOM_PORT", "tcp://10.0.0.1:8080"),
            ("TICKROOM_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("TICKROOM_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("TICKROOM_PORT_8080_TCP_PORT", "8080"),
            ("TICKROOM_PORT_8080_TCP_PROTO", "tcp"),
            ("TICKROOM_PORT_53_UDP_ADDR", "10.0.0.1"),
            ("TICKROOM_SERVICE_HOST", "10.0.0.1"),
            ("TICKROOM_SERVICE_PORT", "8080"),
            ("TICKROOM_SERVICE_PORT_HTTP", "8080"),
            ("TICKROOM_EU_WEST_PORT", "udp://10.0.0.1:8080"),
            ("TICKROOM_EU_WEST_SERVICE_HOST", "10.0.0.1"),
            ("TICKROOM_LOG", "debug"),
            ("TICKROOM_LISTEN", ""),
            ("TICKROOMS", "1"),
            ("HOME", "/"),
        ];
        assert_eq!(warnings(&quiet), Vec::<String>::new());
    }

    #[test]
    fn what_names_no_setting_is_a_warning_with_what_was_meant() {
        let warnings = warnings(&[
            ("TICKROOM_ROOM_SEAT_MAX", "3"),
            ("TICKROOM_PORT", "8080"),
            ("TICKROOM_PORT_X_TCP", "1"),
            ("TICKROOM_BUILD_NUMBER", "1"),
        ]);
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        assert!(warnings[3].contains("TICKROOM_ROOM_SEAT_MAX") && warnings[3].contains("TICKROOM_ROOM_SEATS_MAX"));
        assert!(!warnings[0].contains("did you mean"), "{warnings:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_an_error_of_its_setting_and_elsewhere_nothing() {
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(vec![0xFF]);
        let settings = ["listen".to_owned()];
        let read = |name: OsString| read(&settings, [(name, odd())]).map(|(variables, _)| variables.len());
        assert_eq!(read("TICKROOM_LISTEN".into()).expect_err("it is none").to_string(), "TICKROOM_LISTEN is no text");
        assert_eq!(read("HOME".into()).expect("not ours"), 0);
        assert_eq!(read(odd()).expect("not ours"), 0);
    }
}
