//! The steps of a lab's proof, in order, on one server.

use std::{path::PathBuf, time::Instant};

use super::{
    Options, ServerProcess, Step, Variants, WORKER_THREADS,
    checks::{Fatal, Found, Subject},
    client::Client,
    k6::Outcome,
};
use crate::lab::LoadedLab;

/// Runs all steps. A step that can't run fails and is the last one.
pub async fn run(loaded: &LoadedLab, options: &Options, progress: &dyn Fn(&str)) -> Vec<Step> {
    let mut log = Log { steps: Vec::new(), progress };
    if let Err(reason) = prove(loaded, options, &mut log).await {
        log.push("run", Instant::now(), (String::new(), vec![reason]));
    }
    log.steps
}

async fn prove(loaded: &LoadedLab, options: &Options, log: &mut Log<'_>) -> Result<(), Fatal> {
    if cfg!(not(target_os = "linux")) {
        return Err(
            "prove needs Linux: it counts switches and takes wall-clock profiles".to_owned()
        );
    }
    // On a machine that can't show the symptom, a flat line would look like a result.
    loaded.evidence.needs.missing().map_or(Ok(()), Err)?;
    let out: PathBuf = options.out.join(loaded.lab.id);
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    (log.progress)("starting a server");
    let server =
        ServerProcess::start(&options.server, &out.join("server.log"), WORKER_THREADS).await?;
    let client = Client::new(&server, loaded)?;
    let subject = Subject { loaded, client, k6: &options.k6, out };
    match options.variants {
        Variants::All => prove_all(&subject, log).await,
        Variants::Yours => prove_yours(&subject, log).await,
    }
}

async fn prove_all(subject: &Subject<'_>, log: &mut Log<'_>) -> Result<(), Fatal> {
    let evidence = &subject.loaded.evidence;
    log.step("clean start", subject.clean_start()).await?;
    log.step("parity", subject.parity(&["slow", "fast", "yours"])).await?;

    let started = log.begin("slow under load");
    let slow = subject.load("slow", &evidence.evidence.slow).await?;
    log.push("slow: k6", started, slow.k6(|outcome| outcome.judge_slow(&evidence.gate)));
    log.push("slow: evidence", started, slow.evidence(evidence));
    if let Some(limits) = evidence.recovery {
        log.push("slow: symptom", started, slow.symptom_within(limits.symptom_within));
    }
    log.step("recovery", subject.recovery(slow.ended)).await?;

    let started = log.begin("fast under load");
    let fast = subject.load("fast", &evidence.evidence.fast).await?;
    log.push("fast: k6", started, fast.k6(Outcome::judge_fast));
    log.push("fast: evidence", started, fast.evidence(evidence));

    for fix in &evidence.wrong_fixes {
        log.step(&format!("wrong fix: {}", fix.name), subject.wrong_fix(fix)).await?;
    }
    Ok(())
}

async fn prove_yours(subject: &Subject<'_>, log: &mut Log<'_>) -> Result<(), Fatal> {
    let evidence = &subject.loaded.evidence;
    log.step("parity", subject.parity(&["fast", "yours"])).await?;
    let started = log.begin("yours under load");
    let yours = subject.load("yours", &evidence.evidence.fast).await?;
    log.push("yours: k6", started, yours.k6(Outcome::judge_fast));
    log.push("yours: evidence", started, yours.evidence(evidence));
    Ok(())
}

/// Steps as they end, each reported to the caller.
struct Log<'a> {
    steps: Vec<Step>,
    progress: &'a dyn Fn(&str),
}

impl Log<'_> {
    fn begin(&self, what: &str) -> Instant {
        (self.progress)(what);
        Instant::now()
    }

    fn push(&mut self, name: &str, started: Instant, (measured, failures): Found) {
        let seconds = started.elapsed().as_secs_f64();
        self.steps.push(Step { name: name.to_owned(), measured, failures, seconds });
    }

    async fn step(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<Found, Fatal>>,
    ) -> Result<(), Fatal> {
        let started = self.begin(name);
        let found = work.await.map_err(|reason| format!("{name}: {reason}"))?;
        self.push(name, started, found);
        Ok(())
    }
}
