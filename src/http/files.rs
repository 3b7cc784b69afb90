//! The client's files and the assets: built into the program, or from a folder for people who edit them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use actix_web::body::{BoxBody, MessageBody, SizedStream};
use actix_web::http::header;
use actix_web::web::block;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What is in memory of a folder's file, for each client that it is sent to.
const PIECE_BYTES: u64 = 16 * 1024;

/// A file that was written so lately may be written again without another time: some systems count in steps.
const WRITTEN_LATELY: Duration = Duration::from_secs(1);

#[derive(RustEmbed)]
#[folder = "client/"]
#[exclude = "test/*"]
#[exclude = "python/*"]
#[exclude = "*.md"]
#[exclude = "*package*.json"]
#[exclude = "*sconfig.json"]
#[exclude = "node_modules/*"]
struct ClientFiles;

#[derive(RustEmbed)]
#[folder = "assets/"]
#[exclude = "golden/*"]
struct AssetFiles;

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// The client, as built into the program.
    BuiltInClient,
    /// The assets, as built into the program.
    BuiltInAssets,
    /// A folder.
    Folder(PathBuf),
}

/// A file, and what stands for its bytes in `If-None-Match`.
struct Found {
    body: BoxBody,
    tag: String,
}

impl Files {
    /// The file at `path`, or 404, or 304 if the browser has it already.
    pub async fn answer(&self, path: &str, request: &HttpRequest) -> HttpResponse {
        let found = match self {
            Self::BuiltInClient => ClientFiles::get(path).map(built_in),
            Self::BuiltInAssets => AssetFiles::get(path).map(built_in),
            Self::Folder(folder) => from_folder(folder, path).await,
        };
        let Some(Found { body, tag }) = found else {
            return HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("Not found.\n");
        };
        // Names carry no version, so a browser may keep a file but must ask whether it still holds.
        if browser_has(request, &tag) {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, tag))
                .insert_header((header::CACHE_CONTROL, "no-cache"))
                .finish();
        }
        HttpResponse::Ok()
            .content_type(content_type(path))
            .insert_header((header::ETAG, tag))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .body(body)
    }
}

fn built_in(file: EmbeddedFile) -> Found {
    let tag = file.metadata.sha256_hash()[..12].iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Found { body: bytes.boxed(), tag: format!("\"{tag}\"") }
}

/// A file in a folder that people edit while the server runs. Nothing outside the folder is found, neither by `..` nor
/// by a link that leads out of it, nor anything hidden.
async fn from_folder(folder: &Path, path: &str) -> Option<Found> {
    let asked = Path::new(path);
    let plain = asked.components().all(|part| match part {
        Component::Normal(name) => name.to_str().is_some_and(|name| !name.starts_with('.') && !name.contains('\\')),
        _ => false,
    });
    if !plain || path.contains('\0') {
        return None;
    }
    let (folder, file) = (folder.to_owned(), folder.join(asked));
    let open = move || {
        let file = file.canonicalize().ok()?;
        if !file.starts_with(folder.canonicalize().ok()?) {
            return None;
        }
        let file = File::open(file).ok()?;
        let about = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some((file, about.len(), about.modified().ok()?))
    };
    let (file, length, written) = block(open).await.ok()??;
    let tag = tag(length, written, SystemTime::now());
    Some(Found { body: SizedStream::new(length, pieces(file, length)).boxed(), tag })
}

/// The file's first `length` bytes, each piece once the one before is on its way.
fn pieces(file: File, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let piece = move || {
            let mut piece = vec![0; left.min(PIECE_BYTES) as usize];
            // It may have become shorter than was promised: then the answer breaks off.
            file.read_exact(&mut piece).map(|()| (file, Bytes::from(piece)))
        };
        let (file, piece) = block(piece).await.map_err(io::Error::other)??;
        let left = left - piece.len() as u64;
        Ok(Some((piece, (file, left))))
    })
}

/// Stands for a file of this length that was written then. One that was written lately has a tag of its own each time.
fn tag(length: u64, written: SystemTime, now: SystemTime) -> String {
    let nanos = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    match now.duration_since(written) {
        Ok(age) if age > WRITTEN_LATELY => format!("\"{:x}-{length:x}\"", nanos(written)),
        _ => format!("\"{:x}-{length:x}-{:x}\"", nanos(written), nanos(now)),
    }
}

fn browser_has(request: &HttpRequest, tag: &str) -> bool {
    let held = request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    held.flat_map(|list| list.split(',')).any(|held| {
        let held = held.trim();
        held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag
    })
}

fn content_type(path: &str) -> &'static str {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "mp3" => "audio/mpeg",
        "wasm" => "application/wasm",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
