//! Integer arithmetic that gives the same bits in every language: sine table, square root, drag, products with a shift.
//!
//! No function here leaves 32 signed bits as long as its stated bounds hold, so a JavaScript mirror needs plain `*`,
//! `>>` and `| 0`. Tests build with overflow checks, which hold the bounds.

/// One turn in heading units.
pub const TURN: i32 = 1 << 16;
/// One, in the units of [`sin`] and [`cos`].
pub const ONE_Q14: i32 = 1 << 14;

const SINE_STEPS: usize = 1024;

/// `round(16384 * sin(2 pi i / 1024))`: shipped as numbers, because two runtimes may disagree on the last bit of a sine.
static SINE: [i16; SINE_STEPS] = parse_table(include_bytes!("../../assets/arena/sine.json"));

/// The sine of a heading in Q14. Any `i32` is a heading; whole turns do not matter.
#[inline]
#[must_use]
pub fn sin(heading: i32) -> i32 {
    i32::from(SINE[(heading >> 6) as usize & (SINE_STEPS - 1)])
}

/// The cosine of a heading in Q14.
#[inline]
#[must_use]
pub fn cos(heading: i32) -> i32 {
    i32::from(SINE[((heading >> 6) as usize).wrapping_add(SINE_STEPS / 4) & (SINE_STEPS - 1)])
}

/// The largest integer whose square is at most `n`; 0 for negative `n`.
#[inline]
#[must_use]
pub fn isqrt(n: i32) -> i32 {
    if n <= 0 {
        return 0;
    }
    let mut rest = n;
    let mut root = 0;
    let mut bit = 1 << 30;
    while bit > rest {
        bit >>= 2;
    }
    while bit != 0 {
        if rest >= root + bit {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    root
}

/// Takes `share_q7 / 128` off a velocity, rounded away from zero, so that it always comes to rest.
///
/// Sign and magnitude apart: `v -= v >> 6` would stop -1 at once and never stop 63. Needs `|v| * share_q7` in 31 bits.
#[inline]
#[must_use]
pub fn drag(v: i32, share_q7: i32) -> i32 {
    let loss = (v.abs() * share_q7 + 127) >> 7;
    if v < 0 { v + loss } else { v - loss }
}

/// `a * b / 2^shift`, to the nearest, halves upwards. Needs the product in 31 bits and `shift >= 1`.
#[inline]
#[must_use]
pub fn mul_shift(a: i32, b: i32, shift: u32) -> i32 {
    (a * b + (1 << (shift - 1))) >> shift
}

/// `value * numerator / denominator`, towards zero, as `(value * numerator / denominator) | 0` is in JavaScript. A
/// language whose division rounds down must divide magnitudes. Needs the product in 31 bits and a positive denominator.
#[inline]
#[must_use]
pub fn ratio(value: i32, numerator: i32, denominator: i32) -> i32 {
    debug_assert!(denominator > 0, "denominator {denominator}");
    value * numerator / denominator
}

/// Reads the numbers of a JSON array at compile time: no start-up work, and a wrong table does not build.
const fn parse_table(text: &[u8]) -> [i16; SINE_STEPS] {
    let mut table = [0_i16; SINE_STEPS];
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        let negative = text[at] == b'-';
        if negative {
            at += 1;
        }
        let mut value: i16 = 0;
        let mut digits = 0;
        while at < text.len() && text[at].is_ascii_digit() {
            value = value * 10 + (text[at] - b'0') as i16;
            digits += 1;
            at += 1;
        }
        if digits > 0 {
            table[count] = if negative { -value } else { value };
            count += 1;
        }
        at += 1;
    }
    assert!(count == SINE_STEPS, "the sine table must have 1024 numbers");
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_rounded_sine_and_exactly_symmetric() {
        for (step, &value) in SINE.iter().enumerate() {
            let exact = 16384.0 * (step as f64 * std::f64::consts::TAU / 1024.0).sin();
            assert!((f64::from(value) - exact).abs() <= 0.500_001, "step {step}: {value} is not {exact}");
            let heading = (step as i32) << 6;
            assert_eq!(sin(-heading), -sin(heading), "step {step}");
            assert_eq!(sin(heading + TURN / 2), -sin(heading), "step {step}");
            assert_eq!(cos(-heading), cos(heading), "step {step}");
        }
        assert_eq!((sin(0), sin(TURN / 4), cos(0), cos(TURN / 2)), (0, ONE_Q14, ONE_Q14, -ONE_Q14));
        assert_eq!(sin(i32::MIN), 0);
        assert_eq!(cos(i32::MAX), cos(-1), "whole turns do not matter");
    }

    #[test]
    fn the_root_is_the_largest_whose_square_fits() {
        let check = |n: i32| {
            let root = i64::from(isqrt(n));
            let n = i64::from(n);
            assert!(root * root <= n && (root + 1) * (root + 1) > n, "isqrt({n}) = {root}");
        };
        (0..70_000).for_each(check);
        (1..46_340).for_each(|root| [root * root - 1, root * root, root * root + 1].into_iter().for_each(check));
        check(i32::MAX);
        assert_eq!(isqrt(-5), 0);
    }

    #[test]
    fn drag_treats_both_directions_alike_and_always_stops() {
        for share in [1, 3, 64] {
            for v in 0..5000 {
                assert_eq!(drag(-v, share), -drag(v, share), "v {v}, share {share}");
                assert!(v == 0 || drag(v, share) < v, "v {v}, share {share} never stops");
            }
        }
        let mut v = 63;
        for _ in 0..63 {
            v = drag(v, 2);
        }
        assert_eq!(v, 0, "the biased `v -= v >> 6` stays at 63 for ever");
    }

    #[test]
    fn ratios_round_towards_zero_and_products_to_the_nearest() {
        assert_eq!((ratio(7, 3, 2), ratio(-7, 3, 2)), (10, -10));
        assert_eq!((mul_shift(3, 1, 1), mul_shift(-3, 1, 1), mul_shift(5, 1, 2)), (2, -1, 1));
    }
}
