//! Reads the records and enums of the wire out of the Rust source.

use std::collections::BTreeMap;

/// Items that derive Encode, as (keyword, name, lines of the body without docs and attributes).
fn items(source: &str) -> Vec<(String, String, Vec<String>)> {
    let mut items = Vec::new();
    let mut lines = source.lines();
    let mut on_the_wire = false;
    while let Some(line) = lines.next() {
        if line.starts_with("#[derive(") {
            on_the_wire = line.contains("Encode");
            continue;
        }
        let Some(rest) = line.strip_prefix("pub struct ").or(line.strip_prefix("pub enum ")).filter(|_| on_the_wire)
        else {
            continue;
        };
        on_the_wire = false;
        let Some(name) = rest.strip_suffix(" {") else { continue };
        let keyword = if line.starts_with("pub struct") { "struct" } else { "enum" };
        let body = lines
            .by_ref()
            .take_while(|line| *line != "}")
            .map(str::trim)
            .filter(|line| !line.starts_with("//") && !line.starts_with("#["))
            .map(str::to_owned)
            .collect();
        items.push((keyword.into(), name.to_owned(), body));
    }
    items
}

/// Every struct: its fields and their types, as PROTOCOL.md names them.
pub(crate) fn records(source: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let of_struct = |lines: Vec<String>| lines.iter().map(|line| field(line.strip_prefix("pub ").unwrap())).collect();
    items(source)
        .into_iter()
        .filter(|(keyword, ..)| keyword == "struct")
        .map(|(_, name, lines)| (name, of_struct(lines)))
        .collect()
}

/// Every enum: number, name and data of its variants, as PROTOCOL.md names them.
pub(crate) fn enums(source: &str) -> BTreeMap<String, Vec<[String; 3]>> {
    items(source)
        .into_iter()
        .filter(|(keyword, ..)| keyword == "enum")
        .map(|(_, name, lines)| {
            let mut variants: Vec<[String; 3]> = Vec::new();
            for line in lines {
                if let Some(inner) = line.strip_suffix(" {") {
                    variants.push([variants.len().to_string(), inner.to_owned(), String::new()]);
                } else if line.contains(": ") {
                    let (field, of) = field(&line);
                    variants.last_mut().unwrap()[2] = format!("{field}: {of}");
                } else if line != "}," {
                    let line = line.trim_end_matches(',');
                    let (name, data) = line.split_once('(').unwrap_or((line, ""));
                    let data = if data.is_empty() { String::new() } else { type_name(data.trim_end_matches(')')) };
                    variants.push([variants.len().to_string(), name.to_owned(), data]);
                }
            }
            (name, variants)
        })
        .collect()
}

/// The names of all public constants.
pub(crate) fn constants(source: &str) -> Vec<String> {
    let name = |line: &str| Some(line.trim().strip_prefix("pub const ")?.split(':').next()?.to_owned());
    source.lines().filter(|line| !line.contains("const fn")).filter_map(name).collect()
}

fn field(line: &str) -> (String, String) {
    let (name, of) = line.trim_end_matches(',').split_once(": ").unwrap_or_else(|| panic!("no field: {line}"));
    (name.to_owned(), type_name(of))
}

fn type_name(rust: &str) -> String {
    let inside = |outer: &str| rust.strip_prefix(outer)?.strip_suffix('>').map(type_name);
    if let Some(of) = inside("Option<") {
        return format!("option of {of}");
    }
    if let Some(of) = inside("Box<") {
        return of;
    }
    if let Some(of) = inside("Vec<") {
        return if of == "u8" { "bytes".into() } else { format!("list of {of}") };
    }
    match rust {
        "String" => "text".into(),
        "FixedU32" => "fixed u32".into(),
        "[u8; 16]" => "16 bytes".into(),
        other => other.into(),
    }
}
