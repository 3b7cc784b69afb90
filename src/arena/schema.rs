//! What Arena's clients see and do: the numbers of its kinds, fields and events, and the [`Schema`] made of them.
//!
//! RULES.md in this folder says what each field means. Field numbers that the code needs stand beside the table they
//! belong to, and a test compares both.

use crate::ids::{EventKindId, KindId};
use crate::protocol::schema::{EntityKind, EventKind, Field, InputField, Neutral, Schema};

/// Rises when the rules or the tuning change in a way that a predicting client must follow.
pub const RULES: u32 = 2;

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

/// Places on the wire are to a quarter of a world unit.
const PLACE_DROP: u8 = 10;
/// Sizes and places on whole world units: nothing is lost, and clients predict with the exact value.
const WHOLE_DROP: u8 = 12;

/// The schema. It does not depend on options: the arena's size travels in the `match` row.
#[must_use]
pub fn schema() -> Schema {
    Schema { game: "arena".into(), rules: RULES, kinds: kinds(), inputs: inputs(), events: events() }
}

// Orders are those that `cargo bench --bench bytes` found best for a hundred ships in a fight.

fn kinds() -> Vec<EntityKind> {
    let unit = UNIT as u32;
    let place = |name| Field::linear(name, unit, PLACE_DROP).orders(5, 13);
    let whole = |name| Field::step(name).scaled(unit, WHOLE_DROP).orders(11, 11);
    let points =
        |name, drop_bits: u8| Field::step(name).scaled(POINT as u32, drop_bits).orders(10 - drop_bits, 13 - drop_bits);
    let (step, tick) = (Field::step, Field::tick);
    vec![
        // winner is a seat plus 1, 0 for none; best is the winner's score.
        EntityKind::public(
            "match",
            vec![
                step("phase"),
                step("round"),
                tick("ends_at"),
                whole("half_width"),
                whole("half_height"),
                step("winner"),
                step("best"),
            ],
        ),
        EntityKind::constant("rock", vec![whole("x"), whole("y"), whole("radius"), step("shape").orders(0, 16)]),
        EntityKind::public(
            "ship",
            vec![
                place("x"),
                place("y"),
                Field::angle("heading", 8).orders(2, 8),
                step("thrust").scaled(LEVEL_MAX as u32, 4).orders(4, 4),
                step("turn").scaled(LEVEL_MAX as u32, 4).orders(4, 4),
                step("flags").orders(6, 5),
                points("shield", 7),
                points("hull", 7),
                seat("seat"),
            ],
        ),
        EntityKind::private(
            "own",
            vec![
                Field::linear("x", unit, 0).orders(15, 23),
                Field::linear("y", unit, 0).orders(15, 23),
                Field::linear("vx", unit, 0).orders(9, 14),
                Field::linear("vy", unit, 0).orders(9, 14),
                Field::angle("heading", 0).orders(10, 16),
                points("energy", 0).orders(7, 13),
                points("shield", 0),
                points("hull", 0),
                tick("fire_at"),
                tick("beam_at"),
                tick("dash_at"),
                tick("shield_at"),
                tick("protected_until"),
                tick("respawn_at"),
                tick("rapid_until"),
                tick("might_until"),
            ],
        ),
        EntityKind::constant(
            "bolt",
            vec![
                step("x").scaled(unit, PLACE_DROP).orders(0, 13),
                step("y").scaled(unit, PLACE_DROP).orders(0, 13),
                step("vx").scaled(unit, 4).orders(0, 13),
                step("vy").scaled(unit, 4).orders(0, 13),
                tick("born").orders(0, 1),
                seat("seat"),
                step("might").orders(0, 0),
            ],
        ),
        EntityKind::constant("pickup", vec![whole("x"), whole("y"), step("sort").orders(0, 2)]),
        EntityKind::public("score", vec![seat("seat"), step("score"), step("kills"), step("deaths"), step("streak")]),
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
    let place = |name| Field::step(name).scaled(UNIT as u32, PLACE_DROP).orders(0, 13);
    let step = Field::step;
    let event = EventKind::new;
    vec![
        // shielded is 1 when the shield took all of it.
        event(
            "hit",
            vec![
                place("x"),
                place("y"),
                seat("seat"),
                seat("by"),
                step("amount").scaled(POINT as u32, 6).orders(0, 5),
                step("shielded").orders(0, 0),
                step("weapon").orders(0, 0),
            ],
        ),
        // streak is the killer's, this kill included.
        event(
            "kill",
            vec![place("x"), place("y"), seat("seat"), seat("by"), step("weapon").orders(0, 0), step("streak")],
        ),
        event("pickup", vec![place("x"), place("y"), seat("seat"), step("sort").orders(0, 2)]),
        // hit is the seat that was hit plus 1, 0 for none.
        event(
            "beam",
            vec![place("from_x"), place("from_y"), place("to_x"), place("to_y"), seat("seat"), or_none("hit")],
        ),
        event("spark", vec![place("x"), place("y"), seat("seat")]),
        event("spawn", vec![place("x"), place("y"), seat("seat")]),
        event("dash", vec![place("x"), place("y"), Field::angle("heading", 8), seat("seat")]),
        // speed is that of the impact, in world units per tick; with is the other ship's seat plus 1, 0 for none.
        event(
            "bump",
            vec![
                place("x"),
                place("y"),
                step("speed").scaled(UNIT as u32, PLACE_DROP).orders(0, 5),
                seat("seat"),
                or_none("with"),
            ],
        ),
        // winner is a seat plus 1, 0 for nobody.
        event("round_end", vec![step("round"), or_none("winner"), step("best")]),
        event("round_start", vec![step("round")]),
    ]
}

/// The number of a seat.
fn seat(name: &str) -> Field {
    Field::step(name).orders(0, 6)
}

/// The number of a seat plus 1; 0 for none, as mostly.
fn or_none(name: &str) -> Field {
    Field::step(name).orders(0, 2)
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
