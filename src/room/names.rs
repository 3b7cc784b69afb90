//! What of a typed name is shown to others.

use std::ops::RangeInclusive;

use unicode_segmentation::UnicodeSegmentation;

use crate::protocol::message::NAME_CHARS_MAX;

/// Who has no name.
const NOBODY: &str = "Player";

const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
/// Flags of regions: this, then tags that show nothing by themselves, then the one that ends them.
const BLACK_FLAG: char = '\u{1f3f4}';
const TAGS: RangeInclusive<char> = '\u{e0020}'..='\u{e007e}';
const TAGS_END: char = '\u{e007f}';

/// `Default_Ignorable_Code_Point` of Unicode's DerivedCoreProperties.txt (16.0), among them all direction marks; and the
/// marks of annotations, which are no more to be seen.
const UNSEEN: [RangeInclusive<char>; 20] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{fffe}'..='\u{ffff}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Letters that look like a blank.
const BLANK_LETTERS: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];

/// A name that fits above a ship: nothing that is not seen, nothing that turns the direction of the text around it, no
/// runs of blanks, at most [`NAME_CHARS_MAX`] characters, and what shows as one (an emoji of several characters, a letter
/// with its marks) whole or not at all.
pub(super) fn clean(typed: &str) -> String {
    let (mut name, mut chars) = (String::new(), 0);
    for word in typed.split(is_blank) {
        let seen: String = word.graphemes(true).flat_map(seen).collect();
        // Anew, since what is no longer there may have stood between a letter and its marks.
        let mut begins = true;
        for cluster in seen.graphemes(true) {
            // Marks without a letter would hang on whatever stands before the name.
            if begins && is_mark(cluster) {
                continue;
            }
            let blank = if begins && !name.is_empty() { " " } else { "" };
            let room = NAME_CHARS_MAX.saturating_sub(chars + blank.len());
            let count = cluster.chars().count();
            if count > room && !name.is_empty() {
                return name;
            }
            name.push_str(blank);
            // A first one that is too long by itself is no emoji, but a letter below a heap of marks.
            name.extend(cluster.chars().take(room));
            chars += blank.len() + count.min(room);
            begins = false;
        }
    }
    if name.is_empty() { NOBODY.to_owned() } else { name }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || BLANK_LETTERS.contains(&c)
}

fn is_unseen(c: char) -> bool {
    // Nearly all names are of characters before the first of them.
    c >= '\u{ad}' && UNSEEN.iter().any(|range| range.contains(&c))
}

/// What is seen of a cluster, and what its parts need to be one: joiners between them, the choice between a picture and a
/// text, the region of a flag.
fn seen(cluster: &str) -> impl Iterator<Item = char> {
    let region = cluster.strip_prefix(BLACK_FLAG).and_then(|tags| tags.strip_suffix(TAGS_END));
    let is_flag = region.is_some_and(|tags| !tags.is_empty() && tags.chars().all(|c| TAGS.contains(&c)));
    let mut before: Option<char> = None;
    let mut rest = cluster.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let c = rest.next()?;
            let next = rest.peek().copied();
            let kept = match c {
                JOINER => before.is_some_and(|c| c != JOINER) && next.is_some_and(|c| !is_unseen(c)),
                // Of letters and digits there are no pictures, but for keys.
                '\u{fe0e}' | '\u{fe0f}' => match next {
                    Some(KEYCAP) => true,
                    _ => before.is_some_and(|c| !c.is_ascii() && !c.is_alphanumeric() && !is_unseen(c)),
                },
                c => is_flag || !is_unseen(c),
            };
            if kept {
                before = Some(c);
                return Some(c);
            }
        }
    })
}

/// True for marks alone: they become one with a letter before them.
fn is_mark(cluster: &str) -> bool {
    let mut after_a_letter = String::from("x");
    after_a_letter.push_str(cluster);
    after_a_letter.graphemes(true).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_makes_no_name() {
        for range in UNSEEN {
            for c in range {
                for typed in [format!("{c}"), format!(" {c}{c} {c}"), format!("{c}\u{2800}{c}\t")] {
                    assert_eq!(clean(&typed), "Player", "{typed:?}");
                }
                // And nobody looks like somebody else by it.
                let parts = clean(&format!("{c}An{c}n{c}"));
                assert!(["Ann", "An n"].contains(&parts.as_str()), "{c:?}: {parts:?}");
            }
        }
        for typed in
            ["", " ", "\u{2800}", "\u{3164}\u{3164}", "\u{ad}", "\u{fe0f}", "\u{301}", "\u{200d}\u{fe0f}\u{20e3}", "\0"]
        {
            assert_eq!(clean(typed), "Player", "{typed:?}");
        }
        assert_eq!(clean("A\u{3164}\u{2800}B"), "A B", "a letter that looks like a blank is one");
        assert_eq!(clean("Zo\u{ad}e\u{fe0f}"), "Zoe");
        assert_eq!(clean("A\u{200b}\u{301}"), "A\u{301}", "what stood between a letter and its mark");
    }

    #[test]
    fn direction_marks_go() {
        for mark in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars()
        {
            assert_eq!(clean(&format!("{mark}e{mark}vil{mark}")), "evil");
        }
        assert_eq!(clean("שלום"), "שלום", "a text that runs so by itself stays");
    }

    const WHOLE: [&str; 12] = [
        "👨‍👩‍👧‍👦",
        "👩🏽‍🚀",
        "🏳️‍🌈",
        "🏴‍☠️",
        "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "🇩🇪",
        "❤️",
        "1️⃣",
        "👩🏻‍❤️‍💋‍👩🏼",
        "👍🏿",
        "e\u{301}",
        "क्‍ष",
    ];

    #[test]
    fn what_shows_as_one_is_kept_whole_and_never_torn() {
        for one in WHOLE {
            assert_eq!(clean(one), one, "{one:?}");
            for before in 0..=20 {
                let typed = format!("{}{one}{one}{one}", "a".repeat(before));
                let name = clean(&typed);
                assert!(name.chars().count() <= NAME_CHARS_MAX, "{name}");
                let rest = typed.strip_prefix(&name).expect("cut, not changed");
                let mut ends = typed.grapheme_indices(true).map(|(at, _)| at).chain([typed.len()]);
                assert!(ends.any(|at| at == name.len()), "{name:?} is torn from {rest:?}");
                let next = rest.graphemes(true).next().map_or(usize::MAX, |next| next.chars().count());
                assert!(
                    name.chars().count().saturating_add(next) > NAME_CHARS_MAX,
                    "{name:?} has room for more of {rest:?}"
                );
            }
        }
    }

    #[test]
    fn what_joins_nothing_goes() {
        assert_eq!(clean("👩\u{200d}"), "👩");
        assert_eq!(clean("👩\u{200d}\u{200d}🚀"), "👩🚀");
        assert_eq!(clean("a\u{200d}b"), "ab");
        assert_eq!(clean("A\u{fe0f}1\u{fe0f}"), "A1");
        assert_eq!(clean("🏴\u{e0067}\u{e0062}"), "🏴", "a flag of nowhere");
        assert_eq!(clean("x\u{e0067}\u{e007f}"), "x");
    }

    #[test]
    fn blanks_are_single_and_a_heap_of_marks_is_cut() {
        assert_eq!(clean("  Ann \n\t Lee "), "Ann Lee");
        assert_eq!(clean("abcdefghijklmnopqrs tuv"), "abcdefghijklmnopqrs", "no blank at the end");
        assert_eq!(clean("abcdefghijklmnopqrstuvwxyz"), "abcdefghijklmnopqrst");
        let heap = format!("a{}", "\u{301}".repeat(400));
        assert_eq!(clean(&heap).chars().count(), NAME_CHARS_MAX);
        assert_eq!(clean(&format!("Zed {heap}")), "Zed");
        assert_eq!(clean("\u{301}Ann"), "Ann", "it would hang on what stands before");
    }

    #[test]
    fn a_name_that_is_clean_stays_as_it_is() {
        let mut rng = crate::sim::rng::Rng::new(7);
        let parts = [
            "a",
            " ",
            "\u{301}",
            "\u{200d}",
            "\u{fe0f}",
            "👩",
            "🚀",
            "🏴",
            "\u{e0067}",
            "\u{e007f}",
            "1",
            "\u{20e3}",
            "🇩",
            "\u{2800}",
            "\u{200f}",
            "क",
            "\u{94d}",
        ];
        for _ in 0..20_000 {
            let typed: String = (0..rng.below(30)).map(|_| parts[rng.below(parts.len() as u32) as usize]).collect();
            let name = clean(&typed);
            assert_eq!(clean(&name), name, "{typed:?}");
            assert!((1..=NAME_CHARS_MAX).contains(&name.chars().count()), "{typed:?}");
            assert_eq!(name.trim(), name, "{typed:?}");
        }
    }
}
