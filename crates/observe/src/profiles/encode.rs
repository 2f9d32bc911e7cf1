//! Gzipped pprof protobuf, as `go tool pprof` reads it.

use std::io::{Read, Write};

use axum::body::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use pprof::protos::{Message, Profile};

use super::{Mode, record::Sampled};
use crate::error::Error;

pub fn packed(sampled: &Sampled) -> Result<Bytes, Error> {
    let mut profile = sampled.report.pprof().map_err(Error::internal)?;
    if sampled.mode == Mode::Wall {
        // The crate knows only CPU time.
        let wall = push_string(&mut profile, "wall".to_owned());
        if let Some(time) = profile.sample_type.last_mut() {
            time.ty = wall;
        }
        if let Some(period) = profile.period_type.as_mut() {
            period.ty = wall;
        }
    }
    for (thread, samples) in sampled.left_out() {
        let comment = format!("left out: {samples} samples of idle threads {thread}");
        let comment = push_string(&mut profile, comment);
        profile.comment.push(comment);
    }
    pack(&profile)
}

pub fn push_string(profile: &mut Profile, text: String) -> i64 {
    profile.string_table.push(text);
    profile.string_table.len() as i64 - 1
}

pub fn pack(profile: &Profile) -> Result<Bytes, Error> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&profile.encode_to_vec()).map_err(Error::internal)?;
    Ok(packed.finish().map_err(Error::internal)?.into())
}

pub fn unpack(packed: &[u8]) -> Result<Profile, String> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Profile::decode(bytes.as_slice()).map_err(|e| e.to_string())
}
