use core::net::IpAddr;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::config::Network;

const CAPACITY: Capacity = Capacity { connections: 400, sessions: 100, rooms: 40 };

fn config() -> PolicyConfig {
    PolicyConfig { exempt: vec![], connections: 20, sessions: 10, rooms: 3, ..PolicyConfig::default() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

fn from(number: u32) -> Caller {
    Trust::new(&config()).peer(IpAddr::V4(core::net::Ipv4Addr::from_bits(number)))
}

fn seconds(count: u64) -> Micros {
    Micros(count * 1_000_000)
}

#[test]
fn one_address_takes_half_and_every_other_has_its_share_all_the_same() {
    let mut policy = Policy::new(&config(), CAPACITY);
    let mut take =
        |number, times| (0..times).filter(|_| policy.take(from(number), Hold::Session, Micros(1)).is_ok()).count();
    assert_eq!(take(1, 1000), 50);
    for other in 2..7 {
        assert_eq!(take(other, 1000), 10, "address {other}");
    }
    assert_eq!(take(1, 1000), 0);
    let refusal = policy.take(from(1), Hold::Session, Micros(2)).expect_err("it has more than its share");
    assert_eq!(refusal.limit.setting(), "policy.sessions");
    assert_eq!(policy.held(Hold::Session), 100);
    assert!(policy.take(from(1), Hold::Room, Micros(2)).is_ok(), "rooms are counted apart");
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let mut policy = Policy::new(&config(), CAPACITY);
    let mut held: Vec<Holding> =
        (0..50).map(|_| policy.take(from(1), Hold::Session, Micros(1)).expect("half is free")).collect();
    assert!(policy.take(from(1), Hold::Session, Micros(1)).is_err());
    policy.give_back(held.pop().expect("it holds 50"));
    assert!(policy.take(from(1), Hold::Session, Micros(1)).is_ok());
    held.into_iter().for_each(|holding| policy.give_back(holding));
    assert_eq!(policy.held(Hold::Session), 1);
}

#[test]
fn who_is_exempt_is_counted_and_not_limited() {
    let local = Trust::new(&PolicyConfig::default()).peer(ip("127.0.0.1"));
    let mut policy = Policy::new(&config(), CAPACITY);
    let held: Vec<Holding> =
        (0..80).map(|_| policy.take(local, Hold::Session, Micros(1)).expect("it is exempt")).collect();
    assert!((0..1_000_000).all(|_| policy.act(local, Act::Join, Micros(1)).is_ok()));
    assert_eq!((policy.held(Hold::Session), policy.remembered()), (80, 0));
    let others: Vec<_> = (0..20).map(|_| policy.take(from(1), Hold::Session, Micros(1))).collect();
    assert_eq!(others.iter().filter(|taken| taken.is_ok()).count(), 10, "the server is more than half full");
    held.into_iter().for_each(|holding| policy.give_back(holding));
    assert_eq!(policy.held(Hold::Session), 10);
}

#[test]
fn wrong_codes_come_in_a_burst_and_then_one_by_one() {
    let config = PolicyConfig { wrong_codes_burst: 3, wrong_codes_per_minute: 30, ..config() };
    let mut policy = Policy::new(&config, CAPACITY);
    let caller = from(1);
    for _ in 0..3 {
        assert_eq!(policy.may(caller, Act::WrongCode, seconds(1)), Ok(()));
        assert_eq!(policy.act(caller, Act::WrongCode, seconds(1)), Ok(()));
    }
    let refusal = policy.may(caller, Act::WrongCode, seconds(1)).expect_err("three is all");
    assert_eq!((refusal.retry_after, refusal.retry_after_seconds()), (seconds(2), 2));
    assert_eq!(policy.may(caller, Act::WrongCode, seconds(3)), Ok(()));
    assert_eq!(policy.may(caller, Act::WrongCode, seconds(3)), Ok(()), "to ask costs nothing");
    assert_eq!(policy.may(from(2), Act::WrongCode, seconds(1)), Ok(()), "others are not meant");
}

#[test]
fn an_address_is_told_of_once_a_minute_and_all_together_not_much_more() {
    let config = PolicyConfig { joins_per_second: 1, joins_burst: 1, ..config() };
    let mut policy = Policy::new(&config, CAPACITY);
    let mut told = |number: u32, at: u64| {
        let results: Vec<_> = (0..4).map(|_| policy.act(from(number), Act::Join, seconds(at))).collect();
        results.iter().filter(|result| result.is_err_and(|refusal| refusal.tell)).count()
    };
    assert_eq!((1..=60).map(|at| told(1, at)).sum::<usize>(), 1);
    assert_eq!(told(1, 61), 1);
    let of_many: usize = (2..1000).map(|number| told(number, 61)).sum();
    assert!((20..=60).contains(&of_many), "{of_many} lines at once");
}

#[test]
fn a_flood_from_everywhere_grows_no_table_and_takes_no_limit_off() {
    let mut policy = Policy::new(&config(), CAPACITY);
    let holder = from(1);
    let mut held: Vec<Holding> =
        (0..10).map(|_| policy.take(holder, Hold::Session, Micros(1)).expect("its share")).collect();
    let guesser = from(2);
    while policy.act(guesser, Act::WrongCode, Micros(1)).is_ok() {}
    // So that nobody has more than a share.
    let rest: Vec<Holding> =
        (0..45).flat_map(|number| policy.take(from(100 + number / 9), Hold::Session, Micros(1))).collect();
    for number in 1000..301_000_u32 {
        // Ten at the same microsecond, and each owes 5 ms for its request.
        let now = Micros(1 + u64::from(number) / 10);
        let _ = policy.act(from(number), Act::Request, now);
    }
    assert!(policy.remembered() <= ADDRESSES_MIN + CROWDS as usize, "{} are remembered", policy.remembered());
    assert!(policy.take(holder, Hold::Session, Micros(31_000)).is_err(), "what it holds was not forgotten");
    assert!(policy.act(guesser, Act::WrongCode, Micros(31_000)).is_err(), "what it did was not forgotten");
    held.drain(..).chain(rest).for_each(|holding| policy.give_back(holding));
    assert_eq!(policy.held(Hold::Session), 0);
    // An hour later all of it is forgotten at the next occasion.
    for number in 0..2 * SWEEP_MIN as u32 {
        let _ = policy.act(from(number), Act::Request, seconds(3600 + u64::from(number)));
    }
    assert!(policy.remembered() <= 2 * SWEEP_MIN, "{} are remembered", policy.remembered());
}

#[test]
fn an_address_is_an_ipv4_one_or_a_64th_of_ipv6() {
    let same = [
        ("203.0.113.7", "::ffff:203.0.113.7"),
        ("203.0.113.7", "64:ff9b::203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
    ];
    for (one, other) in same {
        assert_eq!(Address::from(ip(one)), Address::from(ip(other)), "{one} {other}");
    }
    let differ = [("127.0.0.1", "127.0.0.2"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("0.0.0.1", "::1")];
    for (one, other) in differ {
        assert_ne!(Address::from(ip(one)), Address::from(ip(other)), "{one} {other}");
    }
    assert_eq!(Address::from(ip("::ffff:10.0.0.1")).to_string(), "10.0.0.1");
    assert_eq!(Address::from(ip("2001:db8:1:2::1")).to_string(), "2001:db8:1:2::/64");
}

#[test]
fn an_origin_is_the_same_for_one_address_and_says_nothing_in_another_process() {
    let (here, elsewhere) = (Policy::new(&config(), CAPACITY), Policy::new(&config(), CAPACITY));
    let trust = Trust::new(&PolicyConfig::default());
    let (one, same) = (trust.peer(ip("2001:db8::1")), trust.peer(ip("2001:db8::2")));
    assert_eq!(here.origin(one), here.origin(same));
    assert_ne!(here.origin(one), here.origin(from(1)));
    assert_ne!(here.origin(one), elsewhere.origin(one));
    assert_ne!(here.origin(trust.peer(ip("127.0.0.1"))), here.origin(trust.peer(ip("127.0.0.2"))), "exempt ones, too");
}

/// Who asks, when these headers come from `peer`; `*` if it is not limited.
fn caller(peer: &str, x_forwarded_for: &[&str], forwarded: &[&str]) -> String {
    let proxies = ["127.0.0.0/8", "::1", "10.0.0.0/8"].map(|text| text.parse::<Network>().expect(text));
    let trust = Trust::new(&PolicyConfig { trusted_proxies: proxies.to_vec(), ..PolicyConfig::default() });
    let bytes = |values: &'static [&'static str]| values.iter().map(|value| value.as_bytes());
    let leak = |values: &[&str]| -> &'static [&'static str] {
        let own: Vec<&'static str> = values.iter().map(|value| &*String::leak((*value).to_owned())).collect();
        Vec::leak(own)
    };
    let caller = trust.caller(ip(peer), bytes(leak(x_forwarded_for)), bytes(leak(forwarded)));
    let star = if caller.limited().is_none() { "*" } else { "" };
    format!("{}{star}", caller.address())
}

#[test]
fn a_trusted_proxy_says_for_whom_it_asks_and_nobody_else_does() {
    for (peer, headers, who) in [
        ("127.0.0.1", &[][..], "127.0.0.1*"),
        ("127.0.0.1", &["203.0.113.7"], "203.0.113.7"),
        ("::ffff:127.0.0.1", &["203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
        ("127.0.0.1", &["\"203.0.113.7\""], "203.0.113.7"),
        ("127.0.0.1", &["2001:db8:0:1::7"], "2001:db8:0:1::/64"),
        ("127.0.0.1", &["[2001:db8:0:1::7]:4711"], "2001:db8:0:1::/64"),
        ("127.0.0.1", &["[2001:db8:0:1::7]"], "2001:db8:0:1::/64"),
        ("127.0.0.1", &["fe80::1%eth0"], "fe80::/64"),
        ("127.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
        // What a client wrote itself stands at the left.
        ("127.0.0.1", &["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", &["198.51.100.1,203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        ("127.0.0.1", &["198.51.100.1", "203.0.113.7", "10.1.2.3"], "203.0.113.7"),
        ("127.0.0.1", &["127.0.0.1, 203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", &["garbage, 203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", &[" , ,203.0.113.7,, "], "203.0.113.7"),
        // Somebody beside the proxy: known, and not exempt, because a stranger could say so too.
        ("127.0.0.1", &["127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1", &["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        // Who can't be read is as good as the proxy that says so.
        ("127.0.0.1", &["unknown"], "127.0.0.1"),
        ("127.0.0.1", &["198.51.100.1, unknown, 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", &["198.51.100.1, 999.1.1.1"], "127.0.0.1"),
        ("127.0.0.1", &["198.51.100.1, \u{fffd}\u{0}"], "127.0.0.1"),
        ("127.0.0.1", &[""], "127.0.0.1*"),
        // Nobody asked them.
        ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
        ("203.0.113.9", &["127.0.0.1"], "203.0.113.9"),
    ] {
        assert_eq!(caller(peer, headers, &[]), who, "{peer} says X-Forwarded-For: {headers:?}");
    }
}

#[test]
fn the_header_of_rfc_7239_is_read_with_all_that_it_may_hold() {
    for (headers, who) in [
        (&["for=203.0.113.7"][..], "203.0.113.7"),
        (&["For=203.0.113.7;proto=https;by=10.0.0.1"], "203.0.113.7"),
        (&["proto=https; by=10.0.0.1; FOR = 203.0.113.7"], "203.0.113.7"),
        (&["for=\"203.0.113.7:4711\""], "203.0.113.7"),
        (&["for=203.0.113.7:4711"], "203.0.113.7"),
        (&["for=\"203.0.113.7:_port\""], "203.0.113.7"),
        (&["for=\"[2001:db8:0:1::7]\""], "2001:db8:0:1::/64"),
        (&["for=\"[2001:db8:0:1::7]:4711\""], "2001:db8:0:1::/64"),
        (&["for=\"[2001:db8\\:0:1::7]\""], "2001:db8:0:1::/64"),
        (&["for=198.51.100.1, for=203.0.113.7"], "203.0.113.7"),
        (&["for=198.51.100.1", "for=203.0.113.7, for=10.1.2.3"], "203.0.113.7"),
        (&["for=\"198.51.100.1, for=9.9.9.9\", for=203.0.113.7"], "203.0.113.7"),
        (&["for=_hidden"], "127.0.0.1"),
        (&["for=198.51.100.1, for=_hidden, for=10.1.2.3"], "10.1.2.3"),
        (&["for=unknown"], "127.0.0.1"),
        (&["proto=https"], "127.0.0.1"),
        (&["for=198.51.100.1;for=198.51.100.2"], "127.0.0.1"),
        (&["for"], "127.0.0.1"),
        (&["for="], "127.0.0.1"),
        (&["for=\""], "127.0.0.1"),
        (&["for=\"198.51.100.1\"x"], "127.0.0.1"),
        // A client left a quote open, so that what the proxy wrote becomes part of it.
        (&["for=198.51.100.1;x=\", for=203.0.113.7"], "127.0.0.1"),
        (&["for=198.51.100.1;x=\"\\, for=\"[2001:db8::1]\""], "127.0.0.1"),
    ] {
        assert_eq!(caller("127.0.0.1", &[], headers), who, "Forwarded: {headers:?}");
    }
}

#[test]
fn two_headers_that_differ_are_both_not_believed() {
    assert_eq!(caller("10.0.0.1", &["203.0.113.7"], &["for=203.0.113.7"]), "203.0.113.7");
    assert_eq!(caller("10.0.0.1", &["203.0.113.7"], &["for=198.51.100.1"]), "10.0.0.1");
    assert_eq!(caller("10.0.0.1", &["203.0.113.7"], &[""]), "203.0.113.7");
}

proptest! {
    /// Whatever proxies and strangers write, it is read without a fuss, and who is not trusted is never believed.
    #[test]
    fn any_header_is_somebody(value in "[ ,;=\"\\\\a-f0-9.:\\[\\]%_for]{0,60}", other in ".{0,40}") {
        caller("127.0.0.1", &[&value, &other], &[&other, &value]);
        prop_assert_eq!(caller("203.0.113.9", &[&value], &[&other]), "203.0.113.9");
        let behind = format!("{value}, 203.0.113.7");
        prop_assert_eq!(caller("127.0.0.1", &[&behind], &[]), "203.0.113.7");
    }

    /// A client that wrote what it liked, and a proxy that added to it: it never counts as another than it is.
    #[test]
    fn nobody_can_say_to_be_another(value in "([ ,;=\"\\\\x]|for=9.9.9.9){0,12}") {
        let headers = format!("{value}, for=203.0.113.7");
        let who = caller("127.0.0.1", &[], &[&headers]);
        prop_assert!(who == "203.0.113.7" || who == "127.0.0.1", "{headers} is {who}");
    }

    /// Random takes and returns of a few addresses: nobody is refused within a share, nobody gets more than a share once
    /// half is taken, no more is ever held than half and the shares, and nothing is lost.
    #[test]
    fn a_share_is_never_refused_and_more_only_while_there_is_plenty(
        steps in proptest::collection::vec((0..6_u32, 0..3_usize, any::<bool>()), 0..600),
    ) {
        let mut policy = Policy::new(&config(), CAPACITY);
        let kinds = [
            (Hold::Connection, config().connections, CAPACITY.connections / 2),
            (Hold::Session, config().sessions, CAPACITY.sessions / 2),
            (Hold::Room, config().rooms, CAPACITY.rooms / 2),
        ];
        let mut held: HashMap<(u32, usize), Vec<Holding>> = HashMap::new();
        for (step, (number, kind, gives_back)) in steps.into_iter().enumerate() {
            let (hold, share, half) = kinds[kind];
            let all: usize = held.iter().filter(|((_, of), _)| *of == kind).map(|(_, list)| list.len()).sum();
            let own = held.entry((number, kind)).or_default();
            if gives_back && step % 3 == 0 {
                own.pop().into_iter().for_each(|holding| policy.give_back(holding));
                continue;
            }
            let within = own.len() < share as usize || all < half as usize;
            match policy.take(from(number), hold, Micros(step as u64)) {
                Ok(holding) => {
                    prop_assert!(within, "{number} got {hold:?} number {} of {all}", own.len() + 1);
                    own.push(holding);
                }
                Err(refusal) => {
                    prop_assert!(!within, "{number} was refused {hold:?} number {} of {all}", own.len() + 1);
                    prop_assert_eq!(refusal.limit, Limit::Held(hold));
                }
            }
            let holders = held.iter().filter(|((_, of), list)| *of == kind && !list.is_empty()).count() as u32;
            prop_assert!(policy.held(hold) <= half + holders * share);
        }
        for holding in held.into_values().flatten() {
            policy.give_back(holding);
        }
        for (hold, ..) in kinds {
            prop_assert_eq!(policy.held(hold), 0);
        }
        prop_assert!(policy.entries.values().all(|entry| entry.held == [0; 3]));
    }

    /// In any stretch of time no more is done than the burst and what the rate gives, and one who keeps to the rate is
    /// never refused.
    #[test]
    fn a_rate_is_kept_in_every_stretch_of_time(
        gaps in proptest::collection::vec(0..400_000_u64, 1..300),
        per_second in 1..50_u32,
        burst in 1..40_u32,
    ) {
        let (rate, mut full_at, mut now) = (Rate::per_second(per_second, burst), FullAt::default(), Micros(0));
        let mut done: Vec<Micros> = Vec::new();
        for gap in gaps {
            now = now.after(Micros(gap));
            match full_at.charge(rate, now) {
                Ok(()) => done.push(now),
                Err(wait) => {
                    let mut later = full_at;
                    prop_assert!(later.charge(rate, now.after(wait)).is_ok(), "the wait is long enough");
                    prop_assert!(full_at.clone().charge(rate, now.after(Micros(wait.0 - 1))).is_err(), "and no longer");
                }
            }
        }
        for (first, start) in done.iter().enumerate() {
            for (last, end) in done.iter().enumerate().skip(first) {
                let earned = end.since(*start).0 * u64::from(per_second) / 1_000_000;
                prop_assert!((last - first) as u64 <= earned + u64::from(burst));
            }
        }
        let mut steady = FullAt::default();
        for number in 0..1000 {
            let at = Micros(number * 1_000_000_u64.div_ceil(per_second.into()));
            prop_assert!(steady.charge(rate, at).is_ok(), "number {number}");
        }
    }
}
