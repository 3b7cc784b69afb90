//! What Arena's clients see and do: the numbers of its kinds, fields and events, and the [`Schema`] made of them.
//!
//! RULES.md in this folder says what each field means. Field numbers that the code needs stand beside the table they
//! belong to, and a test compares both.

use crate::ids::{EventKindId, KindId};
use crate::protocol::schema::{EntityKind, EventKind, Field, InputField, Interpolation, Neutral, Schema};

/// Rises when the rules or the tuning change in a way that a predicting client must follow.
pub const RULES: u32 = 1;

/// World units are Q12: 4096 exact units are one.
pub const UNIT: i32 = 1 << 12;
/// Points of hull, shield, energy and damage are Q6.
pub const POINT: i32 = 1 << 6;

/// The match: exactly one row, always visible.
pub const MATCH: KindId = KindId(0);
/// A rock: a circle that stands still for a round.
pub const ROCK: KindId = KindId(1);
/// A ship that flies; a destroyed one has no row until it is back.
pub const SHIP: KindId = KindId(2);
/// Private: all that a seat needs to predict its own ship.
pub const OWN: KindId = KindId(3);
/// A bolt's trajectory, constant until it ends.
pub const BOLT: KindId = KindId(4);
/// A pickup that lies ready.
pub const PICKUP: KindId = KindId(5);
/// A seat's line on the scoreboard.
pub const SCORE: KindId = KindId(6);

/// `match.phase`: ships fight.
pub const PHASE_PLAY: i32 = 0;
/// `match.phase`: the results board is up; ships fly, weapons are silent.
pub const PHASE_RESULTS: i32 = 1;
/// `match.phase`: the new map is up, no ship is out yet.
pub const PHASE_READY: i32 = 2;

/// `ship.flags`: nothing harms it.
pub const FLAG_PROTECTED: i32 = 1;
/// `ship.flags`: its beam charges.
pub const FLAG_CHARGING: i32 = 2;
/// `ship.flags`: its beam is charged and fires when the key is released.
pub const FLAG_CHARGED: i32 = 4;
/// `ship.flags`: it fires bolts.
pub const FLAG_FIRING: i32 = 8;
/// `ship.flags`: it holds the rapid pickup.
pub const FLAG_RAPID: i32 = 16;
/// `ship.flags`: it holds the might pickup.
pub const FLAG_MIGHT: i32 = 32;
/// `ship.flags`: it dashed within the last few ticks.
pub const FLAG_DASH: i32 = 64;

/// `pickup.sort`: gives hull back.
pub const SORT_REPAIR: i32 = 0;
/// `pickup.sort`: fills energy and shield.
pub const SORT_CHARGE: i32 = 1;
/// `pickup.sort`: bolts come faster and cheaper for a while.
pub const SORT_RAPID: i32 = 2;
/// `pickup.sort`: bolts and beam hurt more for a while.
pub const SORT_MIGHT: i32 = 3;
/// How many sorts there are.
pub const SORTS: i32 = 4;

/// `kill.weapon` and `hit.weapon`: a bolt.
pub const WEAPON_BOLT: i32 = 0;
/// `kill.weapon` and `hit.weapon`: the beam.
pub const WEAPON_BEAM: i32 = 1;

/// A ship took damage.
pub const EVENT_HIT: EventKindId = EventKindId(0);
/// A ship was destroyed.
pub const EVENT_KILL: EventKindId = EventKindId(1);
/// A pickup was taken.
pub const EVENT_PICKUP: EventKindId = EventKindId(2);
/// A beam was fired.
pub const EVENT_BEAM: EventKindId = EventKindId(3);
/// A bolt ended at a rock or a wall.
pub const EVENT_SPARK: EventKindId = EventKindId(4);
/// A ship appeared.
pub const EVENT_SPAWN: EventKindId = EventKindId(5);
/// A ship dashed.
pub const EVENT_DASH: EventKindId = EventKindId(6);
/// A ship struck another, a rock or a wall.
pub const EVENT_BUMP: EventKindId = EventKindId(7);
/// A round ended.
pub const EVENT_ROUND_END: EventKindId = EventKindId(8);
/// A round began.
pub const EVENT_ROUND_START: EventKindId = EventKindId(9);

/// Input: -127 (reverse) to 127 (ahead).
pub const INPUT_THRUST: usize = 0;
/// Input: -127 (anticlockwise on a screen whose y points down) to 127 (clockwise).
pub const INPUT_TURN: usize = 1;
/// Input: 1 fires bolts.
pub const INPUT_FIRE: usize = 2;
/// Input: 1 charges the beam, going back to 0 fires it.
pub const INPUT_BEAM: usize = 3;
/// Input: a press counter, each press is a dash.
pub const INPUT_DASH: usize = 4;
/// Thrust and turn range from minus this to this.
pub const LEVEL_MAX: i32 = 127;

/// How many fields an `own` row has.
pub const OWN_FIELDS: usize = 16;

/// Positions on the wire are to a quarter of a world unit.
const PLACE_DROP: u8 = 10;
/// Sizes and places on whole world units: nothing is lost, and clients predict with the exact value.
const WHOLE_DROP: u8 = 12;

/// The schema. It does not depend on options: the arena's size travels in the `match` row.
#[must_use]
pub fn schema() -> Schema {
    Schema { game: "arena".into(), rules: RULES, kinds: kinds(), inputs: inputs(), events: events() }
}

fn kinds() -> Vec<EntityKind> {
    let unit = UNIT as u32;
    let place = |name| Field::linear(name, unit, PLACE_DROP);
    let whole = |name: &str| still(name, unit, WHOLE_DROP);
    let points = |name: &str, drop_bits| still(name, POINT as u32, drop_bits);
    let step = Field::step;
    vec![
        // ends_at is a tick; winner is a seat plus 1, 0 for none; best is the winner's score.
        kind(
            "match",
            vec![
                step("phase"),
                step("round"),
                step("ends_at"),
                whole("half_width"),
                whole("half_height"),
                step("winner"),
                step("best"),
            ],
        ),
        kind("rock", vec![whole("x"), whole("y"), whole("radius"), step("shape")]),
        // What changes most stands first, so that a moving ship's field mask is one byte.
        kind(
            "ship",
            vec![
                place("x"),
                place("y"),
                Field::angle("heading", 8),
                still("thrust", LEVEL_MAX as u32, 4),
                still("turn", LEVEL_MAX as u32, 4),
                step("flags"),
                points("shield", 7),
                points("hull", 7),
                step("seat"),
            ],
        ),
        EntityKind {
            name: "own".into(),
            private: true,
            fields: vec![
                Field::linear("x", unit, 0),
                Field::linear("y", unit, 0),
                Field::linear("vx", unit, 0),
                Field::linear("vy", unit, 0),
                Field::angle("heading", 0),
                points("energy", 0),
                points("shield", 0),
                points("hull", 0),
                step("fire_at"),
                step("beam_at"),
                step("dash_at"),
                step("shield_at"),
                step("protected_until"),
                step("respawn_at"),
                step("rapid_until"),
                step("might_until"),
            ],
        },
        kind(
            "bolt",
            vec![
                still("x", unit, 8),
                still("y", unit, 8),
                still("vx", unit, 4),
                still("vy", unit, 4),
                step("born"),
                step("expires"),
                step("seat"),
                step("might"),
            ],
        ),
        kind("pickup", vec![whole("x"), whole("y"), step("sort")]),
        kind("score", vec![step("seat"), step("score"), step("kills"), step("deaths"), step("streak")]),
    ]
}

fn inputs() -> Vec<InputField> {
    let off = Neutral::Value(0);
    vec![
        InputField::level("thrust", -LEVEL_MAX, LEVEL_MAX, off),
        InputField::level("turn", -LEVEL_MAX, LEVEL_MAX, off),
        InputField::level("fire", 0, 1, off),
        InputField::level("beam", 0, 1, off),
        InputField::press("dash"),
    ]
}

fn events() -> Vec<EventKind> {
    let place = |name: &str| still(name, UNIT as u32, 0);
    let points = |name: &str| still(name, POINT as u32, 0);
    let step = Field::step;
    let event = |name: &str, fields| EventKind { name: name.into(), fields };
    vec![
        // shielded is 1 when the shield took all of it.
        event(
            "hit",
            vec![place("x"), place("y"), step("seat"), step("by"), points("amount"), step("shielded"), step("weapon")],
        ),
        // streak is the killer's, this kill included.
        event("kill", vec![place("x"), place("y"), step("seat"), step("by"), step("weapon"), step("streak")]),
        event("pickup", vec![place("x"), place("y"), step("seat"), step("sort")]),
        // hit is the seat that was hit plus 1, 0 for none.
        event("beam", vec![place("from_x"), place("from_y"), place("to_x"), place("to_y"), step("seat"), step("hit")]),
        event("spark", vec![place("x"), place("y"), step("seat")]),
        event("spawn", vec![place("x"), place("y"), step("seat")]),
        event("dash", vec![place("x"), place("y"), Field::angle("heading", 0), step("seat")]),
        // speed is that of the impact, in Q12 world units per tick; with is the other ship's seat plus 1, 0 for none.
        event("bump", vec![place("x"), place("y"), place("speed"), step("seat"), step("with")]),
        // winner is a seat plus 1, 0 for nobody.
        event("round_end", vec![step("round"), step("winner"), step("best")]),
        event("round_start", vec![step("round")]),
    ]
}

fn kind(name: &str, fields: Vec<Field>) -> EntityKind {
    EntityKind { name: name.into(), private: false, fields }
}

/// A field that jumps, in parts of a unit.
fn still(name: &str, scale: u32, drop_bits: u8) -> Field {
    Field { name: name.into(), scale, interpolation: Interpolation::Step, drop_bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_one_that_the_wire_can_carry() {
        schema().check().expect("Arena's schema");
    }

    #[test]
    fn every_constant_names_its_place_in_the_schema() {
        let schema = schema();
        let kinds = [
            (MATCH, "match"),
            (ROCK, "rock"),
            (SHIP, "ship"),
            (OWN, "own"),
            (BOLT, "bolt"),
            (PICKUP, "pickup"),
            (SCORE, "score"),
        ];
        assert_eq!(kinds.len(), schema.kinds.len());
        for (id, name) in kinds {
            assert_eq!(schema.kinds[usize::from(id.0)].name, name);
        }
        let events = [
            (EVENT_HIT, "hit"),
            (EVENT_KILL, "kill"),
            (EVENT_PICKUP, "pickup"),
            (EVENT_BEAM, "beam"),
            (EVENT_SPARK, "spark"),
            (EVENT_SPAWN, "spawn"),
            (EVENT_DASH, "dash"),
            (EVENT_BUMP, "bump"),
            (EVENT_ROUND_END, "round_end"),
            (EVENT_ROUND_START, "round_start"),
        ];
        assert_eq!(events.len(), schema.events.len());
        for (id, name) in events {
            assert_eq!(schema.events[usize::from(id.0)].name, name);
        }
        let inputs = [
            (INPUT_THRUST, "thrust"),
            (INPUT_TURN, "turn"),
            (INPUT_FIRE, "fire"),
            (INPUT_BEAM, "beam"),
            (INPUT_DASH, "dash"),
        ];
        assert_eq!(inputs.len(), schema.inputs.len());
        for (at, name) in inputs {
            assert_eq!(schema.inputs[at].name, name);
        }
        assert_eq!(schema.kinds[usize::from(OWN.0)].fields.len(), OWN_FIELDS);
        let private: Vec<&str> =
            schema.kinds.iter().filter(|kind| kind.private).map(|kind| kind.name.as_str()).collect();
        assert_eq!(private, ["own"], "what only its owner may see is one kind");
    }
}
