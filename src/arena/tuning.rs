//! The numbers of `assets/arena/tuning.json`, typed. Clients get the file's bytes in Welcome.

use serde::Deserialize;

/// The file's bytes, as Welcome carries them.
pub const TUNING_JSON: &[u8] = include_bytes!("../../assets/arena/tuning.json");

/// Every shared number. Units stand in the names: RULES.md says how each is used.
#[derive(Clone, Debug, Deserialize)]
pub struct Tuning {
    /// Flight and body.
    pub ship: ShipTuning,
    /// The sudden leap.
    pub dash: DashTuning,
    /// The projectile.
    pub bolt: BoltTuning,
    /// The hitscan weapon.
    pub beam: BeamTuning,
    /// What lies about.
    pub pickup: PickupTuning,
    /// What counts.
    pub score: ScoreTuning,
    /// How long things last.
    pub round: RoundTuning,
    /// How an arena is laid out.
    pub map: MapTuning,
}

/// Flight and body.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct ShipTuning {
    pub radius_q12: i32,
    pub thrust_q12_per_tick2: i32,
    pub reverse_q12_per_tick2: i32,
    pub drag_q7: i32,
    pub turn_brads_per_tick: i32,
    pub speed_max_q12_per_tick: i32,
    pub wall_bounce_q8: i32,
    pub rock_bounce_q8: i32,
    pub ship_bounce_q8: i32,
    pub hull_max_q6: i32,
    pub shield_max_q6: i32,
    pub shield_regen_q6_per_tick: i32,
    pub shield_wait_ticks: i32,
    pub energy_max_q6: i32,
    pub energy_regen_q6_per_tick: i32,
    pub respawn_ticks: i32,
    pub protected_ticks: i32,
}

/// The sudden leap.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct DashTuning {
    pub impulse_q12_per_tick: i32,
    pub cost_q6: i32,
    pub wait_ticks: i32,
}

/// The projectile.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct BoltTuning {
    pub speed_q12_per_tick: i32,
    pub inherit_q8: i32,
    pub radius_q12: i32,
    pub muzzle_q12: i32,
    pub life_ticks: i32,
    pub wait_ticks: i32,
    pub cost_q6: i32,
    pub damage_q6: i32,
}

/// The hitscan weapon.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct BeamTuning {
    pub charge_ticks: i32,
    pub cost_q6: i32,
    pub range_u: i32,
    pub width_q12: i32,
    pub damage_q6: i32,
}

/// What lies about.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct PickupTuning {
    pub radius_q12: i32,
    pub respawn_ticks_min: i32,
    pub respawn_ticks_max: i32,
    pub repair_q6: i32,
    pub rapid_ticks: i32,
    pub rapid_wait_ticks: i32,
    pub rapid_cost_q6: i32,
    pub might_ticks: i32,
    pub might_damage_q8: i32,
}

/// What counts.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct ScoreTuning {
    pub kill: i32,
    pub streak_bonus: i32,
    pub streak_bonus_max: i32,
}

/// How long things last.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct RoundTuning {
    pub play_ticks: i32,
    pub results_ticks: i32,
    pub ready_ticks: i32,
}

/// How an arena is laid out.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "names carry the unit, and RULES.md the meaning")]
pub struct MapTuning {
    pub width_u: i32,
    pub height_u: i32,
    pub u2_per_rock: i32,
    pub rock_radius_min_u: i32,
    pub rock_radius_max_u: i32,
    pub u2_per_pickup: i32,
}

impl Tuning {
    /// The shipped numbers.
    ///
    /// # Panics
    /// Never: a test reads the same bytes.
    #[must_use]
    pub fn shipped() -> Self {
        serde_json::from_slice(TUNING_JSON).expect("assets/arena/tuning.json is part of the binary and tested")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::schema::UNIT;

    /// The bounds that the arithmetic in movement.rs and weapons.rs relies on: change a number, not a bound.
    #[test]
    fn the_shipped_numbers_keep_the_arithmetic_in_32_bits() {
        let t = Tuning::shipped();
        let (ship, rock) = (t.ship.radius_q12, t.map.rock_radius_max_u * UNIT);
        assert!(ship + rock + t.bolt.radius_q12 <= 181 * UNIT, "squares of Q7 distances");
        assert!(t.pickup.radius_q12 + ship <= 181 * UNIT);
        assert!(t.ship.speed_max_q12_per_tick <= 1 << 17, "products with a Q14 normal");
        assert!(t.ship.speed_max_q12_per_tick * t.ship.drag_q7.max(1) <= i32::MAX - 127);
        assert!(t.ship.thrust_q12_per_tick2.max(t.ship.reverse_q12_per_tick2) <= 1 << 13);
        assert!(t.dash.impulse_q12_per_tick <= 1 << 16 && t.bolt.speed_q12_per_tick <= 1 << 16);
        assert!(t.bolt.muzzle_q12 <= 1 << 16 | 1 << 15, "products with a Q14 sine");
        assert!(t.beam.range_u + (t.ship.radius_q12 + t.beam.width_q12) / UNIT <= 1000, "Q5 distances along the beam");
        assert!(t.ship.respawn_ticks >= 120 && t.round.ready_ticks >= 120, "a ship's id rests between two lives");
        assert!(t.ship.wall_bounce_q8 <= 256 && t.ship.rock_bounce_q8 <= 256 && t.ship.ship_bounce_q8 <= 256);
    }
}
