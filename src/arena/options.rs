//! What a server's configuration may say about Arena.

use serde::Deserialize;

use super::tuning::MapTuning;

/// Settings of a match. Whatever is not said comes from the tuning file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArenaOptions {
    /// The arena's width in world units, 800 to 100,000.
    pub width_u: Option<i32>,
    /// The arena's height in world units, 800 to 100,000.
    pub height_u: Option<i32>,
    /// How many rocks, at most; fewer if they do not fit. Not said: by area.
    pub rocks: Option<u32>,
    /// How many places where pickups appear. Not said: by area.
    pub pickups: Option<u32>,
    /// How long a round is played, in seconds at 60 ticks a second.
    pub round_seconds: Option<u32>,
    /// How well bots aim and how quick they are, 0 to 100.
    pub bot_skill_percent: u8,
}

impl Default for ArenaOptions {
    fn default() -> Self {
        // Half: a newcomer wins against some of them, and nobody is bored.
        Self { width_u: None, height_u: None, rocks: None, pickups: None, round_seconds: None, bot_skill_percent: 50 }
    }
}

/// Beyond this many world units across, a seat sees only what is near.
const SEE_ALL_MAX_U: i32 = 4096;
/// The smallest arena has room for a few ships, the largest keeps sums of Q12 coordinates in 31 bits.
const SIDE_U: std::ops::RangeInclusive<i32> = 800..=100_000;

impl ArenaOptions {
    /// What can be set, and what it does: for a program's help.
    pub const SETTINGS: [(&str, &str); 6] = [
        ("width_u", "the arena's width in world units, 800 to 100000"),
        ("height_u", "its height"),
        ("rocks", "rocks at most; not said: by area"),
        ("pickups", "places where pickups appear; not said: by area"),
        ("round_seconds", "how long a round is played"),
        ("bot_skill_percent", "how well bots aim and how quick they are, 0 to 100"),
    ];

    /// An arena with as much room per ship as the default one has for 32.
    #[must_use]
    pub fn for_ships(ships: u32, map: &MapTuning) -> Self {
        let side = |u: i32| {
            // side * sqrt(ships / 32), as the root of an integer.
            let square = u64::from(u.unsigned_abs()).pow(2) * u64::from(ships.clamp(1, 1 << 20)) / 32;
            i32::try_from(square.isqrt()).ok()
        };
        Self { width_u: side(map.width_u), height_u: side(map.height_u), ..Self::default() }
    }

    /// Width and height in whole, even world units.
    pub(super) fn size(&self, map: &MapTuning) -> (i32, i32) {
        let side = |asked: Option<i32>, usual| asked.unwrap_or(usual).clamp(*SIDE_U.start(), *SIDE_U.end()) & !1;
        (side(self.width_u, map.width_u), side(self.height_u, map.height_u))
    }

    /// True if a seat sees only what is near it.
    pub(super) fn culls(&self, map: &MapTuning) -> bool {
        let (width, height) = self.size(map);
        width.max(height) > SEE_ALL_MAX_U
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_explained() {
        let error = serde_json::from_str::<ArenaOptions>(r#"{"nonsense": 1}"#).expect_err("there is no such option");
        let names = |text: &str| text.matches('`').count() / 2 - 1;
        assert_eq!(names(&error.to_string()), ArenaOptions::SETTINGS.len(), "{error}");
        for (name, _) in ArenaOptions::SETTINGS {
            assert!(error.to_string().contains(&format!("`{name}`")), "{name}: {error}");
        }
    }
}
