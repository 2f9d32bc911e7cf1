//! Heap profiles: jemalloc samples one allocation in `SAMPLE_BYTES`. Sampling is off until a
//! profile is requested or it is switched on for a while.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use jemalloc_pprof::{JemallocProfCtl, PROF_CTL};
use pprof::protos::Profile;
use serde::Serialize;

use super::{Recorded, Window, encode, names, only_one};
use crate::{
    error::Error,
    runtime::blocking_pool::{self, Pool},
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Settings that jemalloc reads before `main`: sampling can be switched on, is off, and takes one
/// allocation in 64 KiB, which shows the memory of a few requests.
#[expect(unsafe_code, reason = "jemalloc looks for its settings under this name")]
// SAFETY: no other symbol has this name but jemalloc's own, which is weak, so that this one
// replaces it; the text ends with NUL.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static SETTINGS: &[u8; 46] = b"prof:true,prof_active:false,lg_prof_sample:16\0";

/// Returns free memory to the system. jemalloc itself does so only while the threads of an arena go
/// on to allocate, and the thread that took a profile sleeps after it.
#[expect(unsafe_code, reason = "no safe wrapper of this call exists; it takes no arguments")]
pub fn give_back() {
    // "4096" is every arena.
    // SAFETY: the name ends with NUL, and this call demands null for all else.
    let failed = unsafe {
        tikv_jemalloc_sys::mallctl(
            c"arena.4096.purge".as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        )
    };
    if failed != 0 {
        tracing::warn!(failed, "free memory was not given back");
    }
}

const SAMPLE_BYTES: u64 = 1 << 16;

/// State of heap sampling, as JSON.
#[derive(Debug, Serialize)]
pub struct Sampling {
    pub active: bool,
    /// Time at which it switches off by itself.
    pub until: Option<String>,
    pub sample_bytes: u64,
}

/// Sampling that was switched on by a request.
struct SwitchedOn {
    since: SystemTime,
    until: SystemTime,
    /// `until` on the monotonic clock.
    due: Instant,
    _on: On,
}

static SWITCHED_ON: Mutex<Option<SwitchedOn>> = Mutex::new(None);

fn switched_on() -> MutexGuard<'static, Option<SwitchedOn>> {
    SWITCHED_ON.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Guard that keeps sampling on; dropping it forgets the samples. Use it only on blocking threads,
/// because its lock is one that async code waits for.
struct On;

impl On {
    fn new() -> Result<Self, Error> {
        ctl()?.activate().map_err(Error::internal)?;
        Ok(Self)
    }
}

impl Drop for On {
    fn drop(&mut self) {
        if let Ok(mut ctl) = ctl()
            && let Err(error) = ctl.deactivate()
        {
            tracing::warn!(%error, "heap sampling can't be switched off");
        }
    }
}

fn ctl() -> Result<tokio::sync::MutexGuard<'static, JemallocProfCtl>, Error> {
    let ctl = PROF_CTL.as_ref().ok_or_else(|| {
        Error::NotSupported("jemalloc was started without profiling (prof:false)".to_owned())
    })?;
    Ok(ctl.blocking_lock())
}

pub fn sampling() -> Sampling {
    let on = switched_on();
    let until = on.as_ref().map(|on| humantime::format_rfc3339_seconds(on.until).to_string());
    Sampling { active: on.is_some(), until, sample_bytes: SAMPLE_BYTES }
}

/// Switches sampling on for `on_for`, or off if it is None.
pub async fn switch(on_for: Option<Duration>) -> Result<Sampling, Error> {
    let busy = only_one()?;
    let switch = move || {
        let _busy = busy;
        let mut on = switched_on();
        let Some(on_for) = on_for else {
            *on = None;
            return Ok::<_, Error>(());
        };
        let (now, due) = (SystemTime::now(), Instant::now() + on_for);
        // If sampling is on already, it continues.
        let (since, sampling) = match on.take() {
            Some(before) => (before.since, before._on),
            None => (now, On::new()?),
        };
        *on = Some(SwitchedOn { since, until: now + on_for, due, _on: sampling });
        Ok(())
    };
    blocking_pool::spawn(Pool::Ops, switch).await.map_err(Error::internal)??;
    if let Some(on_for) = on_for {
        tokio::spawn(async move {
            tokio::time::sleep(on_for).await;
            // It fails only if the process is ending.
            let _ = blocking_pool::spawn(Pool::Ops, switch_off_if_due).await;
        });
    }
    Ok(sampling())
}

/// Switches sampling off, unless it was switched on again meanwhile.
fn switch_off_if_due() {
    let mut on = switched_on();
    if on.as_ref().is_some_and(|on| on.due <= Instant::now()) {
        *on = None;
        tracing::info!("heap sampling is off again");
    }
}

/// Records the memory allocated since sampling began and still in use. If sampling is off, it is on
/// for the window only; if it is on, nothing is waited for.
pub fn record(window: &Window) -> Result<Recorded, Error> {
    // A statement of its own, or the lock would be held for the whole window.
    let since = switched_on().as_ref().map(|on| on.since);
    let started = since.unwrap_or_else(SystemTime::now);
    let profile = {
        let _on = if since.is_none() {
            let on = On::new()?;
            window.wait(window.duration)?;
            Some(on)
        } else {
            None
        };
        ctl()?.dump_profile().map_err(Error::internal)?
    };
    let seconds = started.elapsed().unwrap_or_default().as_secs_f64();
    // Names are resolved after sampling has ended, as that allocates much.
    let named = profile.to_pprof(("inuse_space", "bytes"), ("space", "bytes"), None);
    let mut profile = encode::unpack(&named).map_err(Error::internal)?;
    for name in &mut profile.string_table {
        *name = names::public(std::mem::take(name));
    }
    // Otherwise `go tool pprof` reads our program itself, and its names have no modules.
    for mapping in &mut profile.mapping {
        mapping.has_functions = true;
        mapping.has_filenames = true;
        mapping.has_line_numbers = true;
        mapping.has_inline_frames = true;
    }
    leave_jemalloc_out(&mut profile);
    profile.duration_nanos = (seconds * 1e9) as i64;
    profile.period = SAMPLE_BYTES as i64;
    let explained = format!(
        "Bytes of Rust code allocated within {seconds:.0} s and still there at the end, estimated from one allocation in {} KiB",
        SAMPLE_BYTES / 1024
    );
    Ok(Recorded { started, seconds, packed: encode::pack(&profile)?, explained })
}

/// Removes the innermost frames, which are jemalloc's sampling: the caller is what matters.
fn leave_jemalloc_out(profile: &mut Profile) {
    let text = |index: i64| profile.string_table.get(index as usize).map_or("", String::as_str);
    let is_of_jemalloc =
        |name: &str| name.starts_with("_rjem_") || name.contains("jemallocator::Jemalloc as ");
    let is_own =
        |id: &u64| profile.function.iter().any(|f| f.id == *id && is_of_jemalloc(text(f.name)));
    let own: HashSet<u64> = profile
        .location
        .iter()
        .filter(|at| at.line.iter().any(|line| is_own(&line.function_id)))
        .map(|at| at.id)
        .collect();
    for sample in &mut profile.sample {
        let outermost = sample.location_id.iter().rposition(|at| own.contains(at));
        sample.location_id.drain(..outermost.map_or(0, |last| last + 1));
    }
}
