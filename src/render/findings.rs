//! Problems of many hosts, each told once (pure).

use crate::fleet::HostName;
use crate::problem::Problem;

/// Problems in the order in which they were first met, with the hosts that have them.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<(Problem, Vec<HostName>)>);

impl Findings {
    /// Notes a host's problems.
    pub(super) fn add(&mut self, host: &HostName, problems: Vec<Problem>) {
        for problem in problems {
            match self.0.iter_mut().find(|(known, _)| *known == problem) {
                Some((_, hosts)) if hosts.last() == Some(host) => {}
                Some((_, hosts)) => hosts.push(host.clone()),
                None => self.0.push((problem, vec![host.clone()])),
            }
        }
    }

    /// Nothing found, or all of it with its hosts said.
    pub(super) fn into_result(self) -> Result<(), Vec<Problem>> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.0.into_iter().map(|(problem, hosts)| with_hosts(problem, &hosts)).collect())
    }
}

fn with_hosts(mut problem: Problem, hosts: &[HostName]) -> Problem {
    let who = match hosts {
        [] => return problem,
        [one] => format!(" (host `{one}`)"),
        [first, ..] => format!(" ({} hosts, `{first}` is the first)", hosts.len()),
    };
    problem.message.push_str(&who);
    problem
}
