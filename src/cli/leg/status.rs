//! `housewright leg status`: how the legs of topics are (edge).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::super::error::{Answer, CommandError, Exit};
use super::super::{Form, Global, output};
use super::ask::ask;
use super::{load, named};
use crate::duration::seconds;
use crate::leg::{Leg, LegState, legs, parity, well};
use crate::problem::near_name;
use crate::report;

/// Options of `leg status`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The topic; all where none is named
    topic: Option<String>,
    /// Only legs of this role
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// How long to look at what is read
    #[arg(long, value_parser = seconds, default_value = "10s", value_name = "TIME")]
    window: u64,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = load(global)?;
    let mut legs = legs(&project.objects);
    let topics: Vec<&str> = legs.iter().flat_map(Leg::topics).collect();
    legs.retain(|leg| {
        options.topic.as_ref().is_none_or(|topic| leg.topics().any(|own| own == topic))
            && options.role.as_ref().is_none_or(|role| leg.owner.as_str() == role)
    });
    if legs.is_empty() {
        let topic = options.topic.as_deref().unwrap_or_default();
        let hint = near_name(topic, topics.iter().copied())
            .unwrap_or_else(|| format!("the topics that legs read are {}", named(&topics)));
        return Err(CommandError::hinted("no leg is meant", hint));
    }
    let told = ask(global, &project, &legs, Duration::from_secs(options.window))?;
    let mut groups: BTreeMap<(String, String), Vec<LegState>> = BTreeMap::new();
    for (leg, state) in legs.iter().zip(&told.legs) {
        let topics = leg.topics().collect::<Vec<_>>().join(", ");
        groups.entry((topics, leg.owner.to_string())).or_default().push(state.clone());
    }
    match global.output {
        Form::Text => output::result(&report::leg_status(&groups, &told.without, output::width())),
        form => {
            let without: BTreeMap<String, &str> =
                told.without.iter().map(|(host, why)| (host.to_string(), why.reason())).collect();
            let topics: Vec<_> = groups
                .iter()
                .map(|((topics, role), legs)| {
                    let rates: Vec<_> = legs.iter().map(LegState::per_minute).collect();
                    json!({ "topic": topics, "role": role, "legs": legs, "per_minute": rates, "parity": parity(legs) })
                })
                .collect();
            output::versioned(form, &json!({ "topics": topics, "unreachable": without }));
        }
    }
    let is_well = told.legs.iter().all(|leg| well(leg).iter().all(|bar| bar.met));
    Ok(match (told.without.is_empty(), is_well) {
        (false, _) => Exit::Unreachable,
        (true, false) => Exit::Partial,
        (true, true) => Exit::Success,
    })
}
