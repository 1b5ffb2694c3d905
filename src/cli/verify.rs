//! `housewright verify`: every proof that the hosts are as they should be (edge).

use std::collections::BTreeMap;

use futures_util::StreamExt;
use serde_json::json;

use super::context::{Context, Peers, block_on};
use super::error::{Answer, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global};
use crate::clickhouse::ClickHouse;
use crate::event::chain;
use crate::fleet::{Host, HostName};
use crate::observe::{Afterwards, Observed, Open, ask_health, ask_questions};
use crate::plan::{Budget, Proof, SeenClusters, cluster_proofs, of_questions, proofs};
use crate::report;
use crate::resource::{ClickHouseFacts, HealthFacts, HostFacts};

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let up = |_: &Host, facts: &HostFacts| matches!(facts.clickhouse, ClickHouseFacts::Up { .. });
    let (observed, questions, clusters) = block_on(async {
        let observed = context.observe(global, Peers::Not, Afterwards::KeepWhere(&up), &*sink).await;
        let (questions, clusters) = answers(&context, &observed, global.forks).await;
        (observed, questions, clusters)
    })?;
    let (planning, budget) = (Planning::default(), Budget::default());
    let inputs = planning.inputs(&context, &observed, &budget);
    let mut proofs = proofs(&inputs);
    for (host, proof) in cluster_proofs(&inputs, &clusters).into_iter().chain(questions) {
        proofs.entry(host).or_default().push(proof);
    }
    match global.output {
        Form::Text => output::result(&report::verify(&proofs)),
        form => output::data(form, &json!({ "schema": output::SCHEMA, "hosts": proofs })),
    }
    let all = !proofs.is_empty() && proofs.values().flatten().all(|proof| proof.holds);
    Ok(if all { Exit::Success } else { Exit::Partial })
}

/// Asks every server that answers for all members of its clusters and for what its role wants to know, and closes the connections
/// that were kept for it.
async fn answers(context: &Context, observed: &Observed, at_once: usize) -> (BTreeMap<HostName, Proof>, SeenClusters) {
    let ask = |(name, open): (&HostName, &Open)| {
        let (name, open) = (name.clone(), open.clone());
        async move {
            let answer = match &open.clickhouse {
                Some(clickhouse) => Some(of_server(context, &name, &**clickhouse).await),
                None => None,
            };
            open.session.close().await;
            answer.map(|(health, proof)| (name, health, proof))
        }
    };
    let asked: Vec<_> = observed.open.iter().map(ask).collect();
    let mut answers = futures_util::stream::iter(asked).buffer_unordered(at_once.max(1));
    let (mut questions, mut clusters) = (BTreeMap::new(), SeenClusters::default());
    while let Some(answer) = answers.next().await {
        let Some((name, health, proof)) = answer else { continue };
        questions.extend(proof.map(|proof| (name.clone(), proof)));
        clusters.add(name, health);
    }
    (questions, clusters)
}

async fn of_server(
    context: &Context,
    name: &HostName,
    clickhouse: &dyn ClickHouse,
) -> (Result<HealthFacts, String>, Option<Proof>) {
    let fleet = &context.project.fleet;
    let health = ask_health(clickhouse).await.map_err(|error| chain(&error));
    let role = fleet.hosts.get(name).and_then(|host| fleet.role_of(host));
    let proof = match role.map(|role| &role.gates).filter(|gates| !gates.is_empty()) {
        Some(gates) => of_questions(&ask_questions(clickhouse, gates).await),
        None => None,
    };
    (health, proof)
}
