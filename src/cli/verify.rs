//! `housewright verify`: every proof that the hosts are as they should be (edge).

use std::collections::BTreeMap;

use futures_util::StreamExt;

use super::context::{Context, Peers, block_on};
use super::error::{Answer, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global};
use crate::fleet::{Host, HostName};
use crate::observe::{Afterwards, Observed, Open, ask_questions};
use crate::plan::{Budget, Proof, of_questions, proofs};
use crate::report;
use crate::resource::{ClickHouseFacts, HostFacts};
use crate::role::SqlGate;

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let asks = |host: &Host, _: &HostFacts| questions(&context, host).is_some();
    let (observed, answers) = block_on(async {
        let observed = context.observe(global, Peers::Not, Afterwards::KeepWhere(&asks), &*sink).await;
        let answers = answers(&context, &observed, global.forks).await;
        (observed, answers)
    })?;
    let (planning, budget) = (Planning::default(), Budget::default());
    let mut proofs = proofs(&planning.inputs(&context, &observed, &budget));
    for (host, proof) in answers {
        proofs.entry(host).or_default().push(proof);
    }
    match global.output {
        Form::Text => output::result(&report::verify(&proofs)),
        form => output::data(form, &proofs),
    }
    let all = !proofs.is_empty() && proofs.values().flatten().all(|proof| proof.holds);
    Ok(if all { Exit::Success } else { Exit::Partial })
}

/// The questions of a host's role, where it has some.
fn questions<'a>(context: &'a Context, host: &Host) -> Option<&'a BTreeMap<String, SqlGate>> {
    context.project.fleet.role_of(host).map(|role| &role.gates).filter(|gates| !gates.is_empty())
}

/// Asks them of every server that answers, and closes the connections that were kept for it.
async fn answers(context: &Context, observed: &Observed, at_once: usize) -> Vec<(HostName, Proof)> {
    let ask = |(name, open): (HostName, Open)| async move {
        let gates = context.project.fleet.hosts.get(&name).and_then(|host| questions(context, host));
        let up = observed.observation.facts(&name).map(|facts| &facts.clickhouse);
        let proof = match (gates, &open.clickhouse, up) {
            (Some(gates), Some(clickhouse), Some(ClickHouseFacts::Up { .. })) => {
                of_questions(&ask_questions(&**clickhouse, gates).await)
            }
            // That it does not answer is told already.
            _ => None,
        };
        open.session.close().await;
        proof.map(|proof| (name, proof))
    };
    let open = observed.open.iter().map(|(name, open)| (name.clone(), open.clone()));
    let answers: Vec<_> = futures_util::stream::iter(open).map(ask).buffer_unordered(at_once.max(1)).collect().await;
    answers.into_iter().flatten().collect()
}
