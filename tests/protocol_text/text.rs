//! Reads tables and examples out of PROTOCOL.md.

use std::collections::BTreeMap;

use serde_json::Value;
use tickroom::protocol::bits::BitWriter;
use tickroom::protocol::hex;
use tickroom::protocol::schema::{Field, Schema};
use tickroom::protocol::view::View;

/// Every table whose head begins with `head`: the name that it belongs to, and its rows, cell by cell, without code marks.
/// The name is that of the last heading ("### 4.1 Hello"), or of the last line "Record Hello ..." or "Enum Tier:".
pub(crate) fn tables(text: &str, head: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let mut tables: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    let mut name = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('#') {
            let words = line.trim_start_matches(['#', ' ']).trim_end_matches([' ', '◆']);
            name = words.split_once(' ').map_or(words, |(_, rest)| rest).to_owned();
        } else if let Some(rest) = line.strip_prefix("Record ").or(line.strip_prefix("Enum ")) {
            name = rest.split([':', ',']).next().unwrap().to_owned();
        }
        if line.starts_with(head) {
            tables.push((name.clone(), Vec::new()));
            inside = true;
        } else if !line.starts_with('|') {
            inside = false;
        } else if inside && !line.starts_with("|---") {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
            tables.last_mut().unwrap().1.push(cells);
        }
    }
    tables
}

/// Every fenced block whose mark begins with `mark`: the last word of the mark, and its lines.
pub(crate) fn blocks<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```").filter(|found| !found.is_empty()) else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if found.starts_with(mark) {
            blocks.push((found.rsplit(' ').next().unwrap(), body));
        }
    }
    blocks
}

/// A worked example: lines of `bytes  path = value  ; remark`. What is no whole bytes stands in lines of `|bits  ; remark`,
/// in wire order, and then `= bytes  ; remark` says which bytes they make.
pub(crate) struct Example {
    pub(crate) bytes: Vec<u8>,
    pub(crate) says: BTreeMap<String, Value>,
}

impl Example {
    pub(crate) fn parse(lines: &[&str]) -> Self {
        let (mut bytes, mut says) = (Vec::new(), BTreeMap::new());
        let mut bits = BitWriter::default();
        for line in lines {
            let (shown, rest) = line.split_once("  ").unwrap_or_else(|| panic!("no two blanks in: {line}"));
            if let Some(shown) = shown.strip_prefix('|') {
                put_shown(shown, &mut bits);
                assert!(rest.trim().starts_with("; "), "no remark: {line}");
                continue;
            }
            let shown_bytes = hex::decode(shown.trim_start_matches("= ")).unwrap_or_else(|| panic!("no bytes: {line}"));
            if shown.starts_with("= ") {
                assert_eq!(bits.len() % 8, 0, "the padding is shown: {line}");
                assert_eq!(hex::encode(bits.bytes()), hex::encode(&shown_bytes), "the bytes of the bits above");
                bits.clear();
            }
            assert!(bits.is_empty(), "which bytes the bits make: {line}");
            bytes.extend(shown_bytes);
            let says_here = rest.trim().split("  ;").next().unwrap();
            if says_here.starts_with(';') {
                continue;
            }
            let (path, value) =
                says_here.split_once(" = ").unwrap_or_else(|| panic!("neither value nor remark: {line}"));
            let value = serde_json::from_str(value).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(says.insert(path.to_owned(), value).is_none(), "{path} is said twice");
        }
        Self { bytes, says }
    }
}

/// Appends bits that are shown in wire order: `0110`.
pub(crate) fn put_shown(shown: &str, out: &mut BitWriter) {
    for bit in shown.chars() {
        assert!("01".contains(bit), "no bits: {shown}");
        out.bit(bit == '1');
    }
}

/// Every leaf of a JSON value by its path: `schema.kinds[0].name`.
pub(crate) fn leaves(value: &Value) -> BTreeMap<String, Value> {
    fn walk(path: String, value: &Value, out: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    walk(format!("{path}{dot}{name}"), value, out);
                }
            }
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    walk(format!("{path}[{at}]"), value, out);
                }
            }
            leaf => {
                out.insert(path, leaf.clone());
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(String::new(), value, &mut out);
    out
}

/// A view as the text shows it: `1 mover x=100 ..`, then its events.
pub(crate) fn show(view: &View, schema: &Schema) -> Vec<String> {
    let show = |fields: &[Field], values: &[i32]| {
        fields.iter().zip(values).map(|(field, value)| format!(" {}={value}", field.name)).collect::<String>()
    };
    let rows = view.rows().map(|(id, kind, values)| {
        let kind = &schema.kinds[usize::from(kind.0)];
        format!("{} {}{}", id.get(), kind.name, show(&kind.fields, values))
    });
    let events = view.events().map(|event| {
        let kind = &schema.events[usize::from(event.kind.0)];
        format!("{}@{}{}", kind.name, event.tick.0, show(&kind.fields, event.fields))
    });
    rows.chain(events).collect()
}
