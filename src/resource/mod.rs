//! One room per kind of thing on a host: its probe, its observed form, and its difference from what is desired (pure).

mod adoption;
mod config_tree;
mod directory;
mod facts;
mod file;
mod flow;
mod health;
mod identity;
mod keeper;
mod log;
mod manifest;
mod membership;
mod owed;
mod ownership;
mod registration;
mod server;
mod settings;
mod stored;
mod text_diff;
mod unit;

pub use adoption::{Fate, Foreign, NotAdoptable, Takeover, adoptable};
pub use config_tree::Contents;
pub use directory::{DirectoryChange, diff as diff_directories};
pub use facts::{ClickHouseFacts, HostFacts, HostObservation, Observation, ObserveError};
pub use file::{FileChange, FileChangeKind, ObservedDirectory, ObservedFile, Replaces, diff as diff_files};
pub(crate) use flow::STUCK;
pub use flow::{
    ConsumerFacts, Detachment, FlowFacts, FlowQuestion, POLLED_WITHIN, Proof, Spool, attach, detach, flush,
};
pub use health::{Complaints, HealthFacts, running_queries};
pub use identity::Identity;
pub use keeper::{KeeperFacts, MNTR, SRVR, Srvr, synced_followers};
pub use log::{ask_time, fatal_since, read_end, time_of};
pub use manifest::{Manifest, ObservedManifest, Shows, Written};
pub use membership::Membership;
pub use owed::{Detached, DetachedTable, Owed};
pub use ownership::{Kept, Ownership, Record, Removal, ownership};
pub use registration::{Doubt, Here, PeerReplica, Place, Registration};
pub use server::{Applied, GENERATION, SERVER_LOG, Server, ServerFacts, shown_macro};
pub use settings::SeenSettings;
pub use stored::Stored;
pub use text_diff::unified;
pub use unit::{ObservedUnit, UnitChange, diff as diff_units, running_units, units_are_moving};

use config_tree::ConfigTree;

use crate::ground::{Answer, Findings, Question};
use crate::remote::{Batch, Command, Output, RemotePath, UnitName};
use crate::render::Desired;

/// Whether nothing on a host differs from what is desired, as far as one batch tells; its servers are another matter.
#[must_use]
pub fn is_as_desired(desired: &Desired, facts: &HostFacts) -> bool {
    let stale = desired.units.keys().any(|unit| facts.units.get(unit).is_some_and(|unit| unit.is_stale));
    let files = desired.files.iter().all(|(path, wanted)| file::is_as_desired(path, wanted, facts));
    let own = ownership(desired, facts);
    files
        && !stale
        && own.record.is_none()
        && own.removals.is_empty()
        && facts.owed.is_empty()
        && desired.ground.diff(&facts.ground) == Findings::default()
        && diff_directories(desired, facts).is_empty()
        && diff_units(desired, facts).is_empty()
}

/// Everything that one batch asks of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    paths: Vec<RemotePath>,
    tree: ConfigTree,
    units: Vec<UnitName>,
    questions: Vec<Question>,
}

impl Probe {
    /// Asks for all that is managed, and for who the host is.
    #[must_use]
    pub fn of(desired: &Desired) -> Self {
        let mut paths: Vec<_> = Identity::paths();
        let tree = ConfigTree::of(desired);
        paths.extend(desired.directories.keys().cloned());
        paths.extend(desired.files.keys().filter(|path| !tree.read.covers(path)).cloned());
        paths.extend(tree.mains.iter().cloned());
        let mut units: Vec<_> = desired.units.keys().cloned().collect();
        units.extend(desired.files.values().filter_map(|file| file.unit.clone()));
        units.sort();
        units.dedup();
        paths.extend(units.iter().flat_map(Owed::by).filter_map(|owed| owed.marker()));
        paths.extend(Owed::lasting_markers());
        paths.extend(Manifest::path());
        paths.sort();
        paths.dedup();
        let questions = desired.ground.questions().into_iter().collect();
        Self { paths, tree, units, questions }
    }

    /// The same, and all that has to be known of files that the manifest names and that should not be there any more.
    #[must_use]
    pub fn with(mut self, manifest: &Manifest) -> Self {
        let unwanted = || manifest.0.iter().filter(|(path, _)| !self.tree.wants(path));
        let mut units = ownership::units(unwanted());
        units.retain(|unit| !self.units.contains(unit));
        let paths: Vec<_> = unwanted().map(|(path, _)| path).filter(|path| !self.asks(path)).cloned().collect();
        self.paths.extend(paths);
        self.paths.extend(units.iter().flat_map(Owed::by).filter_map(|owed| owed.marker()));
        self.paths.sort();
        self.units.extend(units);
        self
    }

    /// What must be asked once more, of a host whose manifest names files that should not be there any more.
    #[must_use]
    pub fn follow_up(&self, facts: &HostFacts) -> Option<Self> {
        let more = self.clone().with(&facts.manifest.files);
        (more != *self).then_some(more)
    }

    fn asks(&self, path: &RemotePath) -> bool {
        self.paths.contains(path) || self.tree.read.covers(path)
    }

    /// The batch: one read of all paths, one of the configuration's directories, and, where there are units, one question
    /// for all of them, and what its servers stand on.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let mut commands = vec![Command::Read { paths: self.paths.clone() }, Command::ReadTree(self.tree.read.clone())];
        if !self.units.is_empty() {
            commands.push(Command::UnitState { units: self.units.clone() });
        }
        commands.extend(self.questions.iter().map(|question| Command::Ask { argv: question.argv().to_vec() }));
        Batch { commands }
    }

    /// Reads the answers.
    ///
    /// # Errors
    /// Says which of the questions failed on the host, and how.
    pub fn parse(&self, outputs: &[Output]) -> Result<HostFacts, ObserveError> {
        let mut facts = HostFacts::default();
        let answer = |index: usize, what: &'static str| match outputs.get(index) {
            Some(output) if output.succeeded() => Ok(output),
            Some(output) => Err(ObserveError::Failed { what, complaint: output.complaint() }),
            None => Err(ObserveError::Failed { what, complaint: "no answer".to_owned() }),
        };
        let archive = answer(0, "reading files")?;
        file::collect(&archive.stdout, &mut facts)?;
        facts.manifest = ObservedManifest::take(&mut facts.files);
        let found = answer(1, "reading the configuration")?;
        self.tree.collect(&found.stdout, &mut facts)?;
        facts.identity = Identity::read(&facts.files);
        facts.owed = owed::collect(&facts.files);
        if !self.units.is_empty() {
            facts.units = unit::parse(&String::from_utf8_lossy(&answer(2, "reading units")?.stdout));
        }
        let first = 2 + usize::from(!self.units.is_empty());
        let asked = (first..).zip(&self.questions);
        let said =
            asked.map(|(at, question)| Ok((question.clone(), Answer::read(answer(at, "asking what is there")?))));
        facts.ground = said.collect::<Result<_, ObserveError>>()?;
        Ok(facts)
    }
}
