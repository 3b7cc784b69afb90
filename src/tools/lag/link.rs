//! One direction of a bad network, as arithmetic: when does what goes in now come out? No clock, no socket, no thread;
//! the proxy asks it with real time, a test harness with virtual time, and both get the same answers for a seed.
//!
//! A link delays, jitters, stalls and limits the rate, but it never drops and never reorders: it is what a TCP stream
//! looks like from above, where a lost packet is a pause and then a burst.

/// One of the two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// Which directions a stall holds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StallWay {
    /// Both at once.
    #[default]
    Both,
    /// Client to server only.
    Up,
    /// Server to client only.
    Down,
    /// The first stall goes up, the second down, and so on.
    Turns,
}

/// How bad the network is. All times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// There and back, without jitter; each direction takes half of it.
    pub rtt_us: u64,
    /// Each direction's delay is spread evenly over this width: from half of it less to half of it more.
    pub jitter_us: u64,
    /// From the start of one stall to the start of the next; the first comes after this time. 0 = none.
    pub stall_every_us: u64,
    /// How long nothing comes out.
    pub stall_us: u64,
    /// Which directions stall.
    pub stall_way: StallWay,
    /// How many of a million sends cost what a lost packet costs a TCP stream: RTT + 100 ms until it is sent again, and
    /// everything behind it waits.
    pub loss_per_million: u32,
    /// Bytes a second; 0 = without limit.
    pub rate: u64,
}

/// Longest round trip, jitter and stall: a minute. Beyond it, every timeout of a server strikes anyway.
pub const TIME_US_MAX: u64 = 60_000_000;
/// What a retransmission costs beyond the round trip: about the smallest timeout that TCP stacks use.
const RETRANSMISSION_US: u64 = 100_000;

/// A profile that no link can have: the sentence says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProfileError(String);

impl Profile {
    /// Checks that the numbers make a link.
    ///
    /// # Errors
    /// The first [`ProfileError`] found.
    pub fn check(&self) -> Result<(), ProfileError> {
        let refuse = |why: String| Err(ProfileError(why));
        let ms = |us: u64| us as f64 / 1000.0;
        for (name, us) in [("rtt", self.rtt_us), ("stall", self.stall_us), ("stall-every", self.stall_every_us)] {
            let most = if name == "stall-every" { 60 * TIME_US_MAX } else { TIME_US_MAX };
            if us > most {
                return refuse(format!("{name} is {} ms; at most {} ms are possible", ms(us), ms(most)));
            }
        }
        if self.jitter_us > self.rtt_us {
            return refuse(format!(
                "jitter is {} ms; more than the round trip of {} ms would let bytes arrive before they are sent",
                ms(self.jitter_us),
                ms(self.rtt_us)
            ));
        }
        if (self.stall_us == 0) != (self.stall_every_us == 0) {
            return refuse("stall and stall-every belong together: how long, and how often".into());
        }
        if self.stall_every_us > 0 && self.stall_us >= self.stall_every_us {
            return refuse(format!(
                "a stall of {} ms every {} ms lets nothing through",
                ms(self.stall_us),
                ms(self.stall_every_us)
            ));
        }
        if self.loss_per_million > 500_000 {
            return refuse("loss is above 50 %: hardly anything would get through".into());
        }
        if (1..100).contains(&self.rate) {
            return refuse(format!("rate is {} bytes a second; at least 100 are needed to get anywhere", self.rate));
        }
        Ok(())
    }
}

/// One direction of one connection.
#[derive(Clone, Debug)]
pub struct Link {
    profile: Profile,
    way: Way,
    random: SplitMix,
    /// When the rate lets the next byte in.
    free_at_us: u64,
    /// When the newest send comes out: the next may not come out before.
    last_us: u64,
}

impl Link {
    /// A link that starts idle at time 0. Equal seeds make equal links; two directions need two seeds.
    #[must_use]
    pub fn new(profile: Profile, way: Way, seed: u64) -> Self {
        Self { profile, way, random: SplitMix(seed), free_at_us: 0, last_us: 0 }
    }

    /// When `bytes` that are sent at `now_us` come out at the other end. Never before `now_us`, and never before what was
    /// sent earlier. `now_us` counts from the link's start and must not run backwards.
    pub fn send(&mut self, now_us: u64, bytes: usize) -> u64 {
        let mut sent_us = now_us.max(self.free_at_us);
        if self.profile.rate > 0 {
            sent_us += (bytes as u64 * 1_000_000).div_ceil(self.profile.rate);
            self.free_at_us = sent_us;
        }
        let spread_us = self.random.below(self.profile.jitter_us + 1);
        let mut out_us = sent_us + self.profile.rtt_us / 2 + spread_us - self.profile.jitter_us / 2;
        if self.random.below(1_000_000) < u64::from(self.profile.loss_per_million) {
            out_us += self.profile.rtt_us + RETRANSMISSION_US;
        }
        // In order first: what waits for an earlier send can thereby come to lie in a stall.
        out_us = self.after_stall(out_us.max(self.last_us));
        self.last_us = out_us;
        out_us
    }

    /// `at_us`, or the end of the stall that it falls into.
    fn after_stall(&self, at_us: u64) -> u64 {
        let Profile { stall_every_us: every, stall_us, stall_way, .. } = self.profile;
        let Some(count) = at_us.checked_div(every) else { return at_us };
        let strikes = match (stall_way, self.way) {
            (StallWay::Both, _) | (StallWay::Up, Way::Up) | (StallWay::Down, Way::Down) => true,
            (StallWay::Up, Way::Down) | (StallWay::Down, Way::Up) => false,
            (StallWay::Turns, Way::Up) => count % 2 == 1,
            (StallWay::Turns, Way::Down) => count % 2 == 0,
        };
        if count > 0 && strikes { at_us.max(count * every + stall_us) } else { at_us }
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014): small, seedable with any number, the same on every machine.
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    /// A number from 0 to `end - 1`; evenly, as far as a multiplication of 64 bits allows.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * u128::from(end)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1000;

    fn profile() -> Profile {
        Profile { rtt_us: 250 * MS, jitter_us: 40 * MS, ..Profile::default() }
    }

    /// Sends of 100 bytes every 10 ms for a minute; what came out when.
    fn minute(profile: Profile, way: Way, seed: u64) -> Vec<(u64, u64)> {
        let mut link = Link::new(profile, way, seed);
        (0..6000).map(|i| (i * 10 * MS, link.send(i * 10 * MS, 100))).collect()
    }

    #[test]
    fn delay_is_half_the_round_trip_and_spreads_evenly_by_the_jitter() {
        // Sends are so far apart that none waits for another.
        let mut link = Link::new(profile(), Way::Up, 7);
        let delays: Vec<u64> = (0..10_000).map(|i| link.send(i * 1_000_000, 100) - i * 1_000_000).collect();
        let mean = delays.iter().sum::<u64>() / 10_000;
        assert!((124 * MS..=126 * MS).contains(&mean), "mean {mean} us");
        assert!(delays.iter().all(|delay| (105 * MS..=145 * MS).contains(delay)));
        for quarter in 0..4 {
            let low = 105 * MS + quarter * 10 * MS;
            let count = delays.iter().filter(|delay| (low..low + 10 * MS).contains(delay)).count();
            assert!((2300..=2700).contains(&count), "{count} of 10,000 in the quarter from {low} us");
        }
    }

    #[test]
    fn nothing_comes_out_before_it_was_sent_or_before_its_predecessor() {
        let worst = Profile {
            rtt_us: 40 * MS,
            jitter_us: 40 * MS,
            stall_every_us: 500 * MS,
            stall_us: 200 * MS,
            stall_way: StallWay::Turns,
            loss_per_million: 100_000,
            rate: 12_000,
        };
        for seed in 0..20 {
            for way in [Way::Up, Way::Down] {
                let mut last = 0;
                for (sent, out) in minute(worst.clone(), way, seed) {
                    assert!(out >= sent && out >= last, "seed {seed}: sent {sent}, out {out}, the one before {last}");
                    last = out;
                }
            }
        }
    }

    #[test]
    fn equal_seeds_give_equal_links_and_others_do_not() {
        assert_eq!(minute(profile(), Way::Up, 1), minute(profile(), Way::Up, 1));
        assert_ne!(minute(profile(), Way::Up, 1), minute(profile(), Way::Up, 2));
    }

    #[test]
    fn a_stall_holds_everything_until_it_ends_and_then_lets_all_of_it_go() {
        let stalls = Profile { stall_every_us: 5000 * MS, stall_us: 500 * MS, ..Profile::default() };
        let out = minute(stalls, Way::Down, 0);
        for (sent, out) in &out {
            let (count, into) = (sent / (5000 * MS), sent % (5000 * MS));
            let held = count > 0 && into < 500 * MS;
            assert_eq!(*out, if held { count * 5000 * MS + 500 * MS } else { *sent }, "sent at {sent} us");
        }
        assert_eq!(out.iter().filter(|(sent, out)| out > sent).count(), 11 * 50);
    }

    #[test]
    fn stalls_in_turns_never_hold_both_directions() {
        let turns =
            Profile { stall_every_us: 5000 * MS, stall_us: 500 * MS, stall_way: StallWay::Turns, ..Profile::default() };
        let held = |way| -> Vec<u64> {
            let out = minute(turns.clone(), way, 0);
            let mut stalls: Vec<u64> =
                out.into_iter().filter(|(sent, out)| out > sent).map(|(sent, _)| sent / (5000 * MS)).collect();
            stalls.dedup();
            stalls
        };
        assert_eq!(held(Way::Up), [1, 3, 5, 7, 9, 11]);
        assert_eq!(held(Way::Down), [2, 4, 6, 8, 10]);
    }

    #[test]
    fn the_rate_lets_through_so_many_bytes_a_second_and_no_more() {
        let mut link = Link::new(Profile { rate: 2000, ..Profile::default() }, Way::Down, 0);
        let ends: Vec<u64> = (0..10).map(|_| link.send(0, 1000)).collect();
        assert_eq!(ends, (1..=10).map(|i| i * 500 * MS).collect::<Vec<_>>());
        assert_eq!(link.send(60_000 * MS, 1000), 60_500 * MS, "an idle link saves up nothing");
    }

    #[test]
    fn a_loss_costs_a_round_trip_and_a_timeout_to_all_that_is_behind() {
        let lossy = Profile { rtt_us: 250 * MS, loss_per_million: 10_000, ..Profile::default() };
        let out = minute(lossy, Way::Up, 3);
        let lost = out.iter().filter(|(sent, out)| out - sent == (125 + 250 + 100) * MS).count();
        assert!((35..=90).contains(&lost), "{lost} of 6,000 at 1 %");
        let held = out.iter().filter(|(sent, out)| out - sent > 125 * MS).count();
        assert!(held > 25 * lost, "{held} held for {lost} lost: the 34 behind each wait too");
    }

    #[test]
    fn profiles_that_make_no_link_are_refused_with_a_reason() {
        let refused = |profile: Profile| profile.check().expect_err("must be refused").to_string();
        assert!(refused(Profile { rtt_us: 10, jitter_us: 11, ..Profile::default() }).contains("before they are sent"));
        assert!(refused(Profile { stall_us: 10, ..Profile::default() }).contains("belong together"));
        assert!(refused(Profile { stall_every_us: 10, ..Profile::default() }).contains("belong together"));
        let closed = Profile { stall_every_us: 10, stall_us: 10, ..Profile::default() };
        assert!(refused(closed).contains("nothing through"));
        assert!(refused(Profile { rtt_us: TIME_US_MAX + 1, ..Profile::default() }).contains("60000 ms"));
        assert!(refused(Profile { loss_per_million: 500_001, ..Profile::default() }).contains("50 %"));
        assert!(refused(Profile { rate: 99, ..Profile::default() }).contains("at least 100"));
        assert_eq!(profile().check(), Ok(()));
        assert_eq!(Profile::default().check(), Ok(()));
    }
}
