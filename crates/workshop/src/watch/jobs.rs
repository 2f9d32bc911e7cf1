//! The work between two events. Each piece reports what it finds as events, and may be dropped at
//! any time: processes that it started end with it.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    time::Instant,
};

use similar::TextDiff;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    ask::ask,
    build::{Built, build},
    event::{Event, Variant},
    grade::{Asked, Verdict, grade},
    proof,
};
use crate::{
    judge,
    lab::LoadedLab,
    progress::yours,
    prove::{self, Repeats, ServerProcess, Services, Variants, WORKER_THREADS, client::Client, k6},
};

/// Lines around each change of the difference.
const CONTEXT: usize = 2;

/// Places and programs of a watch.
pub struct Options {
    /// Folder of the repository.
    pub root: PathBuf,
    /// Profile of cargo to build with.
    pub profile: String,
    pub k6: PathBuf,
    /// Folder for logs, and for the reports of a proof.
    pub out: PathBuf,
    pub services: Services,
}

/// State that the pieces of work share.
pub struct Jobs<'a> {
    pub loaded: &'a LoadedLab,
    pub options: &'a Options,
    pub events: UnboundedSender<Event>,
    /// The last program that was built.
    program: RefCell<Option<PathBuf>>,
    server: RefCell<Option<ServerProcess>>,
    is_slow_asked: Cell<bool>,
}

impl<'a> Jobs<'a> {
    pub fn new(
        loaded: &'a LoadedLab,
        options: &'a Options,
        events: UnboundedSender<Event>,
    ) -> Self {
        let (program, server) = (RefCell::default(), RefCell::default());
        Self { loaded, options, events, program, server, is_slow_asked: Cell::new(false) }
    }

    fn send(&self, event: Event) {
        // The loop that reads them has ended: so does this work.
        let _ = self.events.send(event);
    }

    fn doing(&self, doing: &str) {
        self.send(Event::Doing(doing.to_owned()));
    }

    pub async fn build(&self, saved: Instant) {
        let progress = |line: &str| self.doing(line);
        match build(&self.options.root, &self.options.profile, &progress).await {
            Ok(Built::Program(program)) => {
                *self.program.borrow_mut() = Some(program);
                self.send(Event::Built(saved.elapsed().as_secs_f64()));
            }
            Ok(Built::Failed(lines)) => self.send(Event::NotBuilt(lines)),
            Err(reason) => self.send(Event::NotBuilt(vec![reason])),
        }
    }

    /// Starts the new program in place of the old one, and asks each variant.
    pub async fn grade(&self, saved: Instant) {
        if let Err(reason) = self.try_grade(saved).await {
            self.send(Event::Graded(Verdict::Red(vec![reason]), saved.elapsed().as_secs_f64()));
        }
        self.send(Event::GradeEnded);
    }

    async fn try_grade(&self, saved: Instant) -> Result<(), String> {
        // Dropped before the next one starts.
        self.server.take();
        let program = self.program.borrow().clone().ok_or("there is no program yet")?;
        self.doing("the server starts");
        let log = self.options.out.join(self.loaded.lab.id);
        std::fs::create_dir_all(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let log = log.join("watch.log");
        let settings = &self.loaded.evidence.settings;
        let stores = self.options.services.stores(self.loaded.evidence.needs).await?;
        let started = ServerProcess::start(&program, &log, WORKER_THREADS, settings, stores);
        let server = started.await?;
        let client = Client::with_users(&server, self.loaded, 1)?;
        let route = self.loaded.evidence.route("yours");
        self.send(Event::Up(format!("{}{route}", client.base_url())));
        let requests = self.loaded.evidence.answer.requests;
        self.doing("fast");
        let fast = ask(&client, "fast", requests).await?;
        let is_wrong = |status| !self.loaded.evidence.answer.allows(status);
        if let Some((status, body)) = fast.answers.iter().find(|(status, _)| is_wrong(*status)) {
            // A lab that can't be opened here, for one. Yours is not to blame.
            return Err(format!("fast itself answers with status {status}: {body}"));
        }
        self.asked(Variant::Fast, &fast);
        self.doing("yours");
        let before = client.totals_at_rest().await?;
        let yours = ask(&client, "yours", requests).await;
        if let Ok(yours) = &yours {
            self.asked(Variant::Yours, yours);
        }
        let process = judge::difference(&before, &client.totals_at_rest().await?);
        let verdict = grade(&self.loaded.evidence, &fast, &yours, &process);
        let verdict = match &yours {
            Ok(_) => verdict.with(client.not_refused(&["yours"]).await?),
            // What does not answer refuses nothing either.
            Err(_) => verdict,
        };
        self.send(Event::Graded(verdict, saved.elapsed().as_secs_f64()));
        // Slow is always the same, and may take seconds, or never answer and hold the server.
        if !self.is_slow_asked.get() {
            self.doing("slow");
            let slow = ask(&client, "slow", requests).await;
            if let Ok(slow) = &slow {
                self.asked(Variant::Slow, slow);
            }
            self.is_slow_asked.set(true);
        }
        *self.server.borrow_mut() = Some(server);
        Ok(())
    }

    fn asked(&self, variant: Variant, asked: &Asked) {
        self.send(Event::Asked(variant, asked.numbers()));
    }

    /// Runs `prove --yours`, or says what k6 would add to it.
    pub async fn prove(&self) {
        // It would share the cores with the server that is proven.
        self.server.take();
        let (held, lines) = match self.try_prove().await {
            Ok((held, lines)) => (held, lines),
            Err(reason) => (None, vec![reason]),
        };
        self.send(Event::Proved(held, lines));
    }

    async fn try_prove(&self) -> Result<(Option<bool>, Vec<String>), String> {
        let Options { k6, out, services, .. } = self.options;
        if let Err(reason) = k6::check(k6).await {
            return Ok((None, proof::without_k6(&self.loaded.evidence, &reason)));
        }
        let server = self.program.borrow().clone().ok_or("there is no program yet")?;
        let options = prove::Options {
            k6: k6.clone(),
            server,
            out: out.clone(),
            variants: Variants::Yours,
            services: services.clone(),
        };
        let progress = |step: &str| self.doing(step);
        let proof = prove::lab(self.loaded, &options, &mut Repeats::default(), &progress).await;
        // An invalid run says nothing.
        let held = proof.last.invalid.is_none().then_some(proof.holds);
        Ok((held, proof::lines(&proof)))
    }

    /// Shows what the learner changed: the start is slow's text.
    pub fn diff(&self) -> Event {
        let files = match self.files() {
            Ok(files) => files,
            Err(reason) => return Event::Trouble(reason),
        };
        let mut lines = Vec::new();
        for yours::File { name, start, text } in files.iter().filter(|file| file.is_edited()) {
            let diff = TextDiff::from_lines(start, text);
            let mut diff = diff.unified_diff();
            let before = name.replace("yours.rs", "slow.rs");
            let text = diff.context_radius(CONTEXT).header(&before, name).to_string();
            lines.extend(text.lines().map(str::to_owned));
        }
        if lines.is_empty() {
            lines.push("yours.rs is still as slow.rs is.".to_owned());
        }
        Event::Diffed(lines)
    }

    /// True if a file of the learner's is no longer what it was at the start.
    pub fn is_edited(&self) -> bool {
        self.files().is_ok_and(|files| files.iter().any(yours::File::is_edited))
    }

    fn files(&self) -> Result<Vec<yours::File>, String> {
        yours::files(&self.options.root.join(self.loaded.folder()), self.loaded.lab.id)
    }
}
