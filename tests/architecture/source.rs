//! Sources as text: comments, strings and test items blanked out, words and paths found. No rule of the house is here.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// One file, and its code with everything that is not code blanked out (line by line at the same place).
pub(crate) struct Source {
    pub(crate) path: String,
    code: String,
}

/// A path of our own crate that a file names, without `crate::`.
pub(crate) struct Used {
    pub(crate) path: String,
    pub(crate) line: usize,
}

/// What a JavaScript module imports: a path from the repository's root, or the bare name of a package.
pub(crate) struct Import {
    pub(crate) target: String,
    pub(crate) line: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text, by its path from the repository's root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every text file with one of the endings below the folders, by its path from the repository's root; of `.` only the
/// files that lie directly in it. A folder that is not there holds none.
pub(crate) fn text_files(folders: &[&str], endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        collect(&root().join(folder), *folder != ".", endings, &mut found);
    }
    found.sort();
    found.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn collect(folder: &Path, deep: bool, endings: &[&str], found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if deep && !["node_modules", "target", "__pycache__"].contains(&name) {
                collect(&path, deep, endings, found);
            }
        } else if endings.contains(&name.rsplit('.').next().unwrap_or_default()) {
            let path = path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
            found.push(path.strip_prefix(root()).expect("below the root").to_str().expect("UTF-8").to_owned());
        }
    }
}

/// Every Rust file below a folder.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    text_files(&[folder], &["rs"]).into_iter().map(|(path, text)| Source::new(&path, &text)).collect()
}

/// The top module that a file below `src/` belongs to.
pub(crate) fn name_of_module(path: &str) -> String {
    path.trim_start_matches("src/").trim_end_matches(".rs").split('/').next().unwrap_or_default().to_owned()
}

/// True if `target`, seen from the file at `path`, is there.
pub(crate) fn exists_beside(path: &str, target: &str) -> bool {
    root().join(path).parent().is_some_and(|folder| folder.join(target).exists())
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { blank_tests(&blank_rust(text)) } else { blank_script(text) };
        Self { path: path.to_owned(), code }
    }

    /// True for a file that only a test build has: `#[cfg(test)] mod tests;`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("src/") && self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }

    /// The lines, from 1, in which a word or a path stands as code.
    pub(crate) fn lines_with(&self, word: &str) -> Vec<usize> {
        self.find(word, |_| true)
    }

    /// As `lines_with`, but not where the word is a member of something (`x.word`) or a key (`word:`).
    pub(crate) fn lines_with_global(&self, word: &str) -> Vec<usize> {
        self.find(word, |(before, after)| !before.trim_end().ends_with('.') && !after.trim_start().starts_with(':'))
    }

    fn find(&self, word: &str, counts: impl Fn((&str, &str)) -> bool) -> Vec<usize> {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let lines = self.code.lines().enumerate();
        lines
            .filter(|(_, line)| {
                line.match_indices(word).any(|(start, _)| {
                    let (before, after) = (&line[..start], &line[start + word.len()..]);
                    !before.ends_with(part_of_word) && !after.starts_with(part_of_word) && counts((before, after))
                })
            })
            .map(|(at, _)| at + 1)
            .collect()
    }
}

/// Blanks comments, strings and character literals of Rust.
fn blank_rust(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let previous = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let in_word = previous.is_ascii_alphanumeric() || previous == b'_';
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            end_of_comment(bytes, at)
        } else if let (false, Some(hashes)) = (in_word, raw_string(rest)) {
            let close: Vec<u8> = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
            let open = at + rest.iter().position(|&b| b == b'"').expect("a raw string has a quote") + 1;
            find(bytes, open, &close).map_or(bytes.len(), |found| found + close.len())
        } else if rest[0] == b'"' {
            end_of_string(bytes, at, b'"')
        } else if rest[0] == b'\'' && is_char_literal(rest) {
            end_of_string(bytes, at, b'\'')
        } else {
            at += 1;
            continue;
        };
        blank(&mut out[at..end]);
        at = end;
    }
    String::from_utf8(out).expect("blanks are ASCII, and whole literals were blanked")
}

/// Blanks comments and plain strings of JavaScript. Template strings stay: they hold code.
fn blank_script(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            find(bytes, at + 2, b"*/").map_or(bytes.len(), |found| found + 2)
        } else if rest[0] == b'"' || rest[0] == b'\'' {
            // A quote inside a regular expression does not close: never look past the line.
            let line = at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
            end_of_string(bytes, at, rest[0]).min(line)
        } else {
            at += 1;
            continue;
        };
        blank(&mut out[at..end]);
        at = end;
    }
    String::from_utf8(out).expect("blanks are ASCII, and whole literals were blanked")
}

fn blank(part: &mut [u8]) {
    for byte in part.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len()).position(|window| window == what).map(|found| from + found)
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if bytes[at..].starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn end_of_string(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// How many hashes open the raw string that starts here, if one does.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let rest = rest.strip_prefix(b"b").unwrap_or(rest).strip_prefix(b"r")?;
    let hashes = rest.iter().take_while(|&&b| b == b'#').count();
    (rest.get(hashes) == Some(&b'"')).then_some(hashes)
}

/// `'a'` and `'\n'`, but not the lifetime `'a`.
fn is_char_literal(rest: &[u8]) -> bool {
    let text = std::str::from_utf8(&rest[1..]).unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

/// Blanks every item behind `#[cfg(test)]`, so that tests may read files and use what their subject must not.
fn blank_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let mut depth = 0;
        let length = code[start..].bytes().position(|byte| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            depth == 0 && (byte == b'}' || byte == b';')
        });
        let end = length.map_or(code.len(), |length| start + length + 1);
        blank(&mut out[start..end]);
    }
    String::from_utf8(out).expect("blanks are ASCII")
}

/// Every path of our own crate in a file: `use` trees taken apart, and paths inside code; `self` and `super` resolved.
pub(crate) fn crate_paths(file: &Source) -> Vec<Used> {
    let tokens = tokens(&file.code);
    let here = module_path(&file.path);
    let mut used = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = matches!(tokens[at].0.as_str(), "crate" | "self" | "super" | "tickroom")
            && (at == 0 || tokens[at - 1].0 != "::")
            && (tokens.get(at + 1).is_some_and(|next| next.0 == "::") || tokens[at].0 == "tickroom");
        if starts {
            let line = tokens[at].1;
            let mut paths = Vec::new();
            at = take_tree(&tokens, at, &[], &mut paths);
            used.extend(paths.into_iter().map(|path| Used { path: resolve(&here, &path), line }));
        } else {
            at += 1;
        }
    }
    used
}

/// Reads one path or `use` tree from `at` on, adds each of its leaves to `paths`, and says where it ends.
fn take_tree(tokens: &[(String, usize)], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.0.as_str());
    let mut path = before.to_vec();
    loop {
        if word(at) == "{" {
            at += 1;
            while !matches!(word(at), "}" | "") {
                at = take_tree(tokens, at, &path, paths);
                while !matches!(word(at), "," | "}" | "") {
                    at += 1; // `as name`
                }
                if word(at) == "," {
                    at += 1;
                }
            }
            return at + 1;
        }
        if word(at).starts_with(|c: char| c.is_alphabetic() || c == '_') {
            path.push(word(at).to_owned());
            at += 1;
        }
        if word(at) != "::" {
            paths.push(path);
            return at;
        }
        at += 1;
    }
}

/// The modules that a file below `src/` lies in.
fn module_path(path: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        path.trim_start_matches("src/").trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

fn resolve(here: &[String], path: &[String]) -> String {
    let mut resolved = Vec::new();
    for (at, part) in path.iter().enumerate() {
        match part.as_str() {
            "crate" | "tickroom" if at == 0 => {}
            "self" if at == 0 => resolved = here.to_vec(),
            "self" => {}
            "super" => {
                if at == 0 {
                    resolved = here.to_vec();
                }
                resolved.pop();
            }
            _ => resolved.push(part.clone()),
        }
    }
    resolved.join("::")
}

/// Words, `::` and single characters, each with its line from 1.
fn tokens(code: &str) -> Vec<(String, usize)> {
    let mut tokens: Vec<(String, usize)> = Vec::new();
    for (at, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = if word(first) {
                rest.find(|c| !word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push((rest[..length].to_owned(), at + 1));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// What a JavaScript module imports, statically, by a re-export or by `import()`.
pub(crate) fn imports(path: &str, text: &str) -> Vec<Import> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        // Comments may import for their types only (`@type {import("./x.js").Y}`): that crosses a wall just the same.
        for key in ["from ", "import ", "import("] {
            for (start, _) in line.match_indices(key) {
                let rest = &line[start + key.len()..];
                let Some(quote) = rest.chars().next().filter(|c| *c == '"' || *c == '\'') else { continue };
                let Some(name) = rest[1..].split(quote).next() else { continue };
                let target = if name.starts_with('.') { normal(&folder.join(name)) } else { name.to_owned() };
                found.push(Import { target, line: at + 1 });
            }
        }
    }
    found
}

fn normal(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}
