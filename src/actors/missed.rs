//! Ticks that rooms skipped because they were late, and when the log is told of them.

use crate::ids::Micros;

/// The log hears of skipped ticks this often at most, however many rooms skip them.
const TELL_EVERY: Micros = Micros::from_millis(1000);

/// Skipped ticks of all rooms.
#[derive(Debug, Default)]
pub(super) struct Missed {
    ticks: u64,
    reports: u32,
    told: Option<Micros>,
}

impl Missed {
    /// A room reports so many.
    pub(super) fn note(&mut self, ticks: u32) {
        if ticks > 0 {
            self.ticks += u64::from(ticks);
            self.reports += 1;
        }
    }

    /// Tells of them, if there are any and it is time.
    pub(super) fn tell(&mut self, now: Micros) {
        if let Some((ticks, reports)) = self.take(now) {
            tracing::info!(ticks, reports, "rooms were late: ticks were skipped");
        }
    }

    fn take(&mut self, now: Micros) -> Option<(u64, u32)> {
        if self.ticks == 0 || self.told.is_some_and(|told| now.since(told) < TELL_EVERY) {
            return None;
        }
        self.told = Some(now);
        Some((std::mem::take(&mut self.ticks), std::mem::take(&mut self.reports)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_told_of_and_no_more_often_than_once_a_second() {
        let mut missed = Missed::default();
        let mut told = Vec::new();
        for beat in 0..40_u64 {
            missed.note(if beat % 2 == 0 { 3 } else { 0 });
            told.extend(missed.take(Micros::from_millis(250 * beat)));
        }
        assert_eq!(missed.take(Micros::from_millis(60_000)), Some((3, 1)));
        assert_eq!(missed.take(Micros::from_millis(90_000)), None, "nothing to tell");
        assert_eq!(told.len(), 10);
        assert_eq!(told.iter().map(|(ticks, _)| ticks).sum::<u64>(), 57);
    }
}
