//! The loop of a watch: events go into the state, and what is to be done is begun. One piece of work
//! runs at a time; a new one drops it.

use std::{path::Path, pin::Pin, time::Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::{
    event::{Effect, Event},
    jobs::{Jobs, Options},
    saves,
    state::Watch,
};
use crate::{
    lab::LoadedLab,
    progress::{self, Progress, yours},
};

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Watches a lab until a key or a signal ends it, and returns the last state. `draw` is called
/// after each event.
///
/// # Errors
/// The folder of the repository or of the lab is not there, or progress can't be read.
pub async fn run(
    loaded: &LoadedLab,
    options: &Options,
    (sender, mut events): (UnboundedSender<Event>, UnboundedReceiver<Event>),
    draw: &mut dyn FnMut(&Watch),
) -> Result<Watch, String> {
    let id = loaded.lab.id;
    // Found out at the start, not at the first save.
    let folder = options.root.join(loaded.folder());
    yours::start_in(&folder, id)?;
    let file = options.root.join(progress::FILE);
    let mut watch = Watch::new(id, loaded.evidence.clone(), Progress::read(&file)?.of(id).hints);
    let jobs = Jobs::new(loaded, options, sender.clone());
    let on_save = sender.clone();
    let _saves = saves::watch(&folder, move || {
        // The loop has ended: nobody waits for a save.
        let _ = on_save.send(Event::Saved);
    })?;
    let mut work: Option<Work<'_>> = None;
    let mut saved = Instant::now();
    // The version that is there is graded first.
    let mut event = Event::Saved;
    loop {
        if matches!(event, Event::Saved) {
            saved = Instant::now();
        }
        for effect in watch.on(event) {
            match effect {
                Effect::Build => work = Some(Box::pin(jobs.build(saved))),
                Effect::Grade => work = Some(Box::pin(jobs.grade(saved))),
                Effect::Prove => work = Some(Box::pin(jobs.prove())),
                Effect::Diff => drop(sender.send(jobs.diff())),
                Effect::Quit => {
                    draw(&watch);
                    return Ok(watch);
                }
                Effect::KeepHints(_) | Effect::KeepGrade(_) | Effect::KeepProof(_) => {
                    if let Err(reason) = keep(effect, &jobs, &file) {
                        drop(sender.send(Event::Trouble(reason)));
                    }
                }
            }
        }
        draw(&watch);
        event = loop {
            tokio::select! {
                // News of work that is dropped below come first.
                biased;
                event = events.recv() => match event {
                    Some(event) => break event,
                    None => return Ok(watch),
                },
                () = going(&mut work), if work.is_some() => work = None,
            }
        };
    }
}

async fn going(work: &mut Option<Work<'_>>) {
    if let Some(work) = work {
        work.await;
    }
}

/// Writes progress. Grading the start of yours.rs is no attempt.
fn keep(effect: Effect, jobs: &Jobs<'_>, file: &Path) -> Result<(), String> {
    let is_edited = jobs.is_edited();
    let change = |lab: &mut progress::LabProgress| match effect {
        Effect::KeepHints(hints) => lab.hints = hints,
        Effect::KeepGrade(is_green) if is_edited => {
            lab.attempts += 1;
            lab.green |= is_green;
        }
        Effect::KeepProof(holds) if is_edited => {
            lab.attempts += 1;
            lab.proven |= holds;
        }
        _ => {}
    };
    let counts = matches!(effect, Effect::KeepHints(_)) || is_edited;
    if counts {
        progress::change(file, jobs.loaded.lab.id, change)?;
    }
    Ok(())
}
