//! Adds discovered hosts to an inventory's documents (edge): from EC2, from answers that are kept, or from a snapshot.
//!
//! Half an answer is none: where anything fails, every problem is told and no host is added.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::baseline::Baseline;
use super::cache::{Cache, Kept};
use super::guard::{self, Accepted};
use super::snapshot::{self, Head};
use super::{DiscoveredHost, InstanceQuery};
use super::{Discovery, DiscoveryError, DiscoverySource, Instance, conflicts, error, layout};
use crate::inventory::{self, DiscoveryFile, Documents, Node, yaml};
use crate::problem::{Problem, Severity, Source, Span};

/// Regions that are asked at the same time.
const AT_ONCE: usize = 8;

/// How this run discovers.
pub struct Terms<'a> {
    /// Whom it asks.
    pub ask: Ask<'a>,
    /// What is accepted by name.
    pub accepted: Accepted,
    /// Where answers are kept.
    pub cache: Cache,
    /// Seconds since 1970.
    pub now: u64,
}

/// Whom a run asks for hosts.
#[derive(Clone, Copy)]
pub enum Ask<'a> {
    /// EC2, or an answer that is kept and new enough.
    Live(&'a dyn Discovery),
    /// EC2, whatever is kept.
    Anew(&'a dyn Discovery),
    /// Nobody: the snapshot says.
    Snapshot,
    /// Nobody can be asked in this build.
    Nobody,
}

/// What a discovery file found.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub source: DiscoverySource,
    /// Its hosts.
    pub hosts: Vec<DiscoveredHost>,
}

/// Asks for the hosts of every discovery file and adds them to the documents, in the place of the first file.
///
/// What is wrong is added to `problems`; then no host is added.
pub async fn discover(documents: &mut Documents, terms: &Terms<'_>, problems: &mut Vec<Problem>) -> Vec<Found> {
    let before = count(problems);
    accepted_nowhere(documents, &terms.accepted, problems);
    let anew = matches!(terms.ask, Ask::Anew(_));
    let discovery = match terms.ask {
        _ if documents.discovery.is_empty() => return Vec::new(),
        Ask::Live(discovery) | Ask::Anew(discovery) => discovery,
        Ask::Snapshot => {
            offline(documents, problems);
            return Vec::new();
        }
        Ask::Nobody => return Vec::new(),
    };
    let files = std::mem::take(&mut documents.discovery);
    let sources: Vec<DiscoverySource> =
        files.iter().filter_map(|file| DiscoverySource::parse(&file.node, problems)).collect();
    if count(problems) > before {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (source, answers) in listed(sources, discovery, anew, terms, problems).await {
        let instances: Vec<Instance> = answers.into_values().flatten().collect();
        let hosts = source.hosts(&instances, problems);
        found.push(Found { source, hosts });
    }
    conflicts::between_files(&found, problems);
    if count(problems) == before {
        add(documents, &files, &found, problems);
    }
    found
}

/// Regions that are accepted by name, and that no file asks: a slip would look like a consent.
fn accepted_nowhere(documents: &Documents, accepted: &Accepted, problems: &mut Vec<Problem>) {
    // A file that could not be read may be the one that asks it.
    if accepted.is_empty() || count(problems) > 0 {
        return;
    }
    let sources: Option<Vec<DiscoverySource>> =
        documents.discovery.iter().map(|file| DiscoverySource::parse(&file.node, &mut Vec::new())).collect();
    let Some(sources) = sources else { return };
    let asked: Vec<&str> =
        sources.iter().flat_map(|source| &source.regions).map(|(region, _)| region.as_str()).collect();
    problems.extend(accepted.nowhere(&asked));
}

/// What every region of every source answers; with a problem, nothing is given at all.
async fn listed(
    sources: Vec<DiscoverySource>,
    discovery: &dyn Discovery,
    anew: bool,
    terms: &Terms<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(DiscoverySource, BTreeMap<String, Vec<Instance>>)> {
    let before = count(problems);
    let mut answered = Vec::new();
    for source in sources {
        let kept = terms.cache.read(&source, problems);
        let fresh = |query: &InstanceQuery| {
            if anew { None } else { terms.cache.fresh(&kept, &source, &query.region, terms.now) }
        };
        let (cached, open): (Vec<_>, Vec<_>) =
            source.queries().into_iter().map(|query| (fresh(&query), query)).partition(|(fresh, _)| fresh.is_some());
        let asked =
            stream::iter(open).map(|(_, query)| async move { (discovery.instances(&query).await, query.region) });
        let asked: Vec<(Result<Vec<Instance>, DiscoveryError>, String)> =
            asked.buffer_unordered(AT_ONCE).collect().await;
        let (asked, failed) = sorted(&source, asked);
        problems.extend(error::problems(&failed));
        let had = baselines(&source, &kept, problems);
        for (region, span) in &source.regions {
            if let Some(instances) = asked.get(region) {
                problems.extend(guard::check(&source, (region, span), instances, had.get(region), &terms.accepted));
            }
        }
        answered.push((source, kept, had, asked, cached));
    }
    if count(problems) > before {
        return Vec::new();
    }
    let mut listed = Vec::new();
    for (source, mut kept, had, mut asked, cached) in answered {
        if !asked.is_empty() {
            kept.follow(&source, &had, &asked, &terms.accepted, terms.now);
            terms.cache.write(&source, kept, &asked, terms.now, problems);
        }
        asked.extend(cached.into_iter().filter_map(|(instances, query)| Some((query.region, instances?))));
        listed.push((source, asked));
    }
    listed
}

type Answers = BTreeMap<String, Vec<Instance>>;

/// Answers by region, and failures in the order in which the file names the regions.
fn sorted(
    source: &DiscoverySource,
    asked: Vec<(Result<Vec<Instance>, DiscoveryError>, String)>,
) -> (Answers, Vec<(DiscoveryError, Span)>) {
    let mut answers = Answers::new();
    let mut failures: BTreeMap<usize, (DiscoveryError, Span)> = BTreeMap::new();
    for (answer, region) in asked {
        match answer {
            Ok(instances) => drop(answers.insert(region, instances)),
            Err(error) => {
                let at = source.regions.iter().position(|(other, _)| *other == region).unwrap_or_default();
                let span = source.regions.get(at).map_or(&source.span, |(_, span)| span);
                failures.insert(at, (error, span.clone()));
            }
        }
    }
    (answers, failures.into_values().collect())
}

/// What each region of a source is compared with; a snapshot that cannot be read is a problem, no snapshot is none.
fn baselines(source: &DiscoverySource, kept: &Kept, problems: &mut Vec<Problem>) -> BTreeMap<String, Baseline> {
    let file = Path::new(source.file());
    let mut snapshot = BTreeMap::new();
    if file.with_file_name(snapshot::FILE).exists() {
        match snapshot_of(source) {
            Ok((head, node)) => snapshot = snapshot::baselines(&head, &node, source),
            Err(problem) if problems.contains(&problem) => {}
            Err(problem) => problems.push(problem),
        }
    }
    let holding = |(region, _): &(String, Span)| {
        Some((region.clone(), Baseline::holding(snapshot.remove(region), kept.baseline(region))?))
    };
    source.regions.iter().filter_map(holding).collect()
}

/// Reads the snapshot beside a discovery file, and counts its hosts.
fn snapshot_of(source: &DiscoverySource) -> Result<(Head, Node), Problem> {
    let at = |problem: Problem| if problem.span.is_some() { problem } else { problem.at(&source.span) };
    let (head, node) = read_snapshot(Path::new(source.file())).map_err(at)?;
    match snapshot::miscounted(&head, &node, Some(source)) {
        Some(why) => Err(not_whole(&node.span.source, &why)),
        None => Ok((head, node)),
    }
}

fn not_whole(source: &Arc<Source>, why: &str) -> Problem {
    let span = Span::new(Arc::clone(source), 0..source.text.find('\n').unwrap_or_default());
    let hint = "take it as it was committed; or remove it, and `housewright discover --write` writes it anew";
    Problem::new("HW0165", format!("this snapshot is not whole: {why}")).at(&span).hint(hint)
}

fn add(documents: &mut Documents, files: &[DiscoveryFile], found: &[Found], problems: &mut Vec<Problem>) {
    let hosts: Vec<DiscoveredHost> = found.iter().flat_map(|found| found.hosts.iter().cloned()).collect();
    let file = found.first().map_or("", |found| found.source.file());
    let node = layout::document(file, &hosts, problems);
    conflicts::with_written(documents, &node, problems);
    insert(documents, files, node);
}

fn insert(documents: &mut Documents, files: &[DiscoveryFile], node: Node) {
    let at = files.first().map_or(usize::MAX, |file| file.position).min(documents.inventories.len());
    // A tag may hold any text, also what looks like the marker of a secret.
    documents.inventories.insert(at, inventory::Written::Yaml(node.without_markers()));
}

/// Takes the hosts of the snapshot beside the discovery files.
fn offline(documents: &mut Documents, problems: &mut Vec<Problem>) {
    let files = std::mem::take(&mut documents.discovery);
    let mut taken: Vec<String> = Vec::new();
    for file in &files {
        let name = file.node.span.source.name.as_str();
        let Some(source) = DiscoverySource::parse(&file.node, problems) else { continue };
        let (head, node) = match snapshot_of(&source) {
            Ok(read) => read,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let own = name.rsplit('/').next().unwrap_or_default();
        match head.of.iter().find(|of| of.file == own) {
            None => {
                let message = format!("`{}` has no hosts of this file", node.span.source.name);
                let hint = "write it anew: `housewright discover --write`";
                problems.push(Problem::new("HW0165", message).at(&source.span).hint(hint));
            }
            Some(of) if of.settings != source.settings_digest() => {
                let message = format!("`{}` was written before this file was changed", node.span.source.name);
                let hint = "`housewright discover` shows what differs, `--write` writes it anew";
                problems.push(Problem::note("HW0168", message).at(&source.span).hint(hint));
            }
            Some(_) => {}
        }
        if !taken.contains(&node.span.source.name) {
            problems.extend(gone(name, &head, &node));
            taken.push(node.span.source.name.clone());
            conflicts::with_written(documents, &node, problems);
            insert(documents, &files, node);
        }
    }
}

/// The files that a snapshot is of, and that are there no more: their hosts are in it still.
fn gone(file: &str, head: &Head, snapshot: &Node) -> Option<Problem> {
    let is_gone = |of: &&snapshot::Of| !Path::new(file).with_file_name(&of.file).exists();
    let gone: Vec<String> = head.of.iter().filter(is_gone).map(|of| format!("`{}`", of.file)).collect();
    let source = &snapshot.span.source;
    let span = Span::new(Arc::clone(source), 0..source.text.find('\n').unwrap_or_default());
    let message = format!("this snapshot has hosts of a file that is not there: {}", gone.join(", "));
    let hint = "write it anew: `housewright discover --write`";
    (!gone.is_empty()).then(|| Problem::new("HW0165", message).at(&span).hint(hint))
}

/// Reads the snapshot beside a discovery file.
///
/// # Errors
/// One problem: there is none, or it is none.
pub fn read_snapshot(file: &Path) -> Result<(Head, Node), Problem> {
    let path = file.with_file_name(snapshot::FILE);
    if !path.exists() {
        let message = format!("there is no snapshot `{}` to read the hosts of this file from", path.display());
        let hint = "`housewright discover --write` asks EC2 and writes it";
        return Err(Problem::new("HW0165", message).hint(hint));
    }
    let source: Arc<Source> = inventory::load::source(&path)?;
    let Some(head) = Head::read(&source.text) else {
        let span = Span::new(Arc::clone(&source), 0..source.text.find('\n').unwrap_or_default());
        let message = "this is no snapshot that `housewright discover --write` wrote: its first lines are not";
        return Err(Problem::new("HW0165", message).at(&span).hint("give a file of your own another name"));
    };
    let mut problems = Vec::new();
    match yaml::read(&source, &mut problems) {
        Some(node) if problems.is_empty() => match snapshot::miscounted(&head, &node, None) {
            Some(why) => Err(not_whole(&source, &why)),
            None => Ok((head, node)),
        },
        _ => Err(problems.pop().unwrap_or_else(|| not_whole(&source, "it is empty"))),
    }
}

fn count(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity == Severity::Problem).count()
}
