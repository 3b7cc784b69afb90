//! The client's files and the assets: built into the program, or from a folder for people who edit them.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

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

/// A file's bytes and what stands for them in `If-None-Match`.
struct Found {
    bytes: Bytes,
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
        let Some(Found { bytes, tag }) = found else {
            return HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("Not found.\n");
        };
        // Names carry no version, so a browser may keep a file but must ask whether it still holds.
        if browser_has(request, &tag) {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, tag))
                .insert_header((header::CACHE_CONTROL, "no-cache"))
                .finish();
        }
        let mut answer = HttpResponse::Ok();
        answer
            .content_type(content_type(path))
            .insert_header((header::ETAG, tag))
            .insert_header((header::CACHE_CONTROL, "no-cache"));
        if request.method() == Method::HEAD {
            return answer.no_chunking(bytes.len() as u64).finish();
        }
        answer.body(bytes)
    }
}

fn built_in(file: EmbeddedFile) -> Found {
    let tag = file.metadata.sha256_hash()[..12].iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Found { bytes, tag: format!("\"{tag}\"") }
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
    let read = move || {
        let file = file.canonicalize().ok()?;
        if !file.starts_with(folder.canonicalize().ok()?) {
            return None;
        }
        std::fs::read(file).ok()
    };
    let bytes = actix_web::web::block(read).await.ok()??;
    Some(Found { tag: format!("\"{:016x}-{:x}\"", fnv(&bytes), bytes.len()), bytes: bytes.into() })
}

/// FNV-1a, 64 bits: tells two versions of a file apart, and nobody gains by forging it.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
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
