//! The steps of a lab's proof, in order, on one server.

use std::{path::PathBuf, time::Instant};

use super::{
    Attempt, Options, ServerProcess, Step, VariantRun, Variants, WORKER_THREADS,
    checks::{Found, Stop, Subject},
    client::Client,
    k6::Outcome,
    run::Run,
};
use crate::{judge::bounds, lab::LoadedLab};

/// Runs all steps. A step that can't run fails and is the last one.
pub async fn run(loaded: &LoadedLab, options: &Options, progress: &dyn Fn(&str)) -> Attempt {
    let mut log = Log { attempt: Attempt::default(), progress };
    match prove(loaded, options, &mut log).await {
        Ok(()) => {}
        Err(Stop::Failed(reason)) => {
            log.push("run", Instant::now(), (String::new(), vec![reason]));
        }
        Err(Stop::Invalid(reason)) => log.attempt.invalid = Some(reason),
    }
    log.attempt
}

async fn prove(loaded: &LoadedLab, options: &Options, log: &mut Log<'_>) -> Result<(), Stop> {
    if cfg!(not(target_os = "linux")) {
        let reason = "prove needs Linux: it counts switches and takes wall-clock profiles";
        return Err(Stop::Failed(reason.to_owned()));
    }
    // On a machine that can't show the symptom, a flat line would look like a result.
    loaded.evidence.needs.missing().map_or(Ok(()), Err)?;
    let out: PathBuf = options.out.join(loaded.lab.id);
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    (log.progress)("starting a server");
    let stores = options.services.stores(loaded.evidence.needs).await?;
    log.attempt.stores = stores.in_words();
    let (log_file, settings) = (out.join("server.log"), &loaded.evidence.settings);
    let started =
        ServerProcess::start(&options.server, &log_file, WORKER_THREADS, settings, stores);
    let server = started.await?;
    let client = Client::new(&server, loaded)?;
    let subject = Subject { loaded, server: &server, client, k6: &options.k6, out };
    match options.variants {
        Variants::All => prove_all(&subject, log).await,
        Variants::Yours => prove_yours(&subject, log).await,
    }
}

async fn prove_all(subject: &Subject<'_>, log: &mut Log<'_>) -> Result<(), Stop> {
    let evidence = &subject.loaded.evidence;
    log.step("clean start", subject.clean_start()).await?;
    let variants = ["slow", "fast", "yours"];
    log.step("parity", subject.parity(&variants)).await?;
    log.step_if_any("refusals", subject.refusals(&variants)).await?;

    let started = log.begin("slow under load");
    let slow = subject.load("slow", &evidence.evidence.slow).await?;
    log.measured("slow", &slow);
    log.push("slow: k6", started, slow.k6(|outcome| outcome.judge_slow(&evidence.gate)));
    log.push("slow: evidence", started, slow.evidence(evidence));
    if let Some(limits) = evidence.recovery {
        log.push("slow: symptom", started, slow.symptom_within(limits.symptom_within));
    }
    log.step("recovery", subject.recovery(slow.ended)).await?;

    let started = log.begin("fast under load");
    let fast = subject.load("fast", &evidence.evidence.fast).await?;
    log.measured("fast", &fast);
    log.push("fast: k6", started, fast.k6(Outcome::judge_fast));
    log.push("fast: evidence", started, fast.evidence(evidence));
    if let Some(work) = fast.work() {
        log.push("fast: work of the process", started, work);
    }

    for fix in &evidence.wrong_fixes {
        let started = log.begin(&format!("wrong fix: {}", fix.name));
        let (found, run) = subject.wrong_fix(fix).await?;
        log.push(&format!("wrong fix: {}", fix.name), started, found);
        log.attempt.variants.push(run);
    }
    Ok(())
}

async fn prove_yours(subject: &Subject<'_>, log: &mut Log<'_>) -> Result<(), Stop> {
    let evidence = &subject.loaded.evidence;
    log.step("parity", subject.parity(&["fast", "yours"])).await?;
    log.step_if_any("refusals", subject.refusals(&["yours"])).await?;
    let expected = bounds::expected(&evidence.evidence.fast);
    let started = log.begin("yours under load");
    let yours = subject.load("yours", &expected).await?;
    log.measured("yours", &yours);
    log.push("yours: k6", started, yours.k6(Outcome::judge_fast));
    log.push("yours: bounds", started, yours.bounds(evidence));
    Ok(())
}

/// Steps as they end, each reported to the caller.
struct Log<'a> {
    attempt: Attempt,
    progress: &'a dyn Fn(&str),
}

impl Log<'_> {
    fn begin(&self, what: &str) -> Instant {
        (self.progress)(what);
        Instant::now()
    }

    fn push(&mut self, name: &str, started: Instant, (measured, failures): Found) {
        let seconds = started.elapsed().as_secs_f64();
        self.attempt.steps.push(Step { name: name.to_owned(), measured, failures, seconds });
    }

    fn measured(&mut self, variant: &str, run: &Run) {
        self.attempt.variants.push(VariantRun {
            variant: variant.to_owned(),
            summary: run.summary.clone(),
            spans: run.spans.clone(),
            grown: run.grown(),
            k6: Some(run.outcome.clone()),
        });
    }

    async fn step(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<Found, Stop>>,
    ) -> Result<(), Stop> {
        self.step_if_any(name, async { work.await.map(Some) }).await
    }

    /// A step that not every lab has.
    async fn step_if_any(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<Option<Found>, Stop>>,
    ) -> Result<(), Stop> {
        let started = self.begin(name);
        let found = work.await.map_err(|stop| match stop {
            Stop::Failed(reason) => Stop::Failed(format!("{name}: {reason}")),
            invalid @ Stop::Invalid(_) => invalid,
        })?;
        if let Some(found) = found {
            self.push(name, started, found);
        }
        Ok(())
    }
}
