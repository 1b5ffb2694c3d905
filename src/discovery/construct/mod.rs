//! Makes hosts out of instances by the rules of a discovery file (pure): equal instances give equal hosts.

mod expressions;
mod groups;
mod names;
mod placement;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use expressions::Refused;
pub use groups::Membership;

use super::source::Expression;
use super::{DiscoverySource, Hostname, Instance};
use crate::fleet::HostName;
use crate::problem::Problem;
use crate::secret::{MARKER_END, MARKER_START};

/// What an instance becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoveredHost {
    /// Its name in the inventory.
    pub name: HostName,
    /// The instance's identity.
    pub instance: String,
    /// Where it is.
    pub region: String,
    /// Its facts, what `compose` and `placement_tags` give, `ansible_host` and `zone`.
    pub vars: Map<String, Value>,
    /// Its groups beside `aws_ec2`.
    pub groups: Vec<Membership>,
}

/// An expression without a value.
struct Failure {
    expression: Expression,
    /// What it should have given.
    what: String,
    why: String,
    /// Whether it is an error even without `strict`.
    always: bool,
}

impl Failure {
    fn of(expression: &Expression, what: String, refused: Refused) -> Self {
        let (why, always) = match refused {
            Refused::Fails(why) => (why, false),
            Refused::Invalid(why) => (why, true),
        };
        Self { expression: expression.clone(), what, why, always }
    }
}

impl DiscoverySource {
    /// Makes the hosts, in order of instance; what is wrong with one is a problem, and then the host is left out.
    #[must_use]
    pub fn hosts(&self, instances: &[Instance], problems: &mut Vec<Problem>) -> Vec<DiscoveredHost> {
        let mut sorted: Vec<&Instance> = instances.iter().collect();
        sorted.sort_by(|a, b| (&a.id, &a.region).cmp(&(&b.id, &b.region)));
        let tags = placement::known(self, instances, problems);
        let mut named: BTreeMap<HostName, &Instance> = BTreeMap::new();
        let mut hosts = Vec::new();
        for instance in sorted {
            if let Some(why) = forbidden(&Value::Object(instance.facts.clone())) {
                problems.push(self.refused(instance, &why));
                continue;
            }
            let Some(name) = self.name(instance, problems) else { continue };
            if let Some(other) = named.get(&name) {
                problems.push(self.called_the_same(other, instance, &name));
                continue;
            }
            named.insert(name.clone(), instance);
            let (facts, visible) = self.facts(instance);
            let mut vars = facts;
            self.compose(instance, &visible, &mut vars, problems);
            placement::apply(&tags, self, instance, &mut vars, problems);
            defaults(instance, &mut vars);
            vars.sort_keys();
            let groups = self.groups(instance, &name, visible, &vars, problems);
            if let Some(why) = forbidden(&Value::Object(vars.clone())) {
                problems.push(self.refused(instance, &why));
                continue;
            }
            let (region, instance) = (instance.region.clone(), instance.id.clone());
            hosts.push(DiscoveredHost { name, instance, region, vars, groups });
        }
        hosts
    }

    fn refused(&self, instance: &Instance, why: &str) -> Problem {
        let message = format!("the instance `{}` of `{}`: {why}", instance.id, instance.region);
        let hint = "a tag or another fact would be taken for the reference of a secret: rename or remove it";
        Problem::new("HW0163", message).at(&self.span).hint(hint)
    }

    fn name(&self, instance: &Instance, problems: &mut Vec<Problem>) -> Option<HostName> {
        let defaults = if self.hostnames.is_empty() { Hostname::defaults() } else { Vec::new() };
        let who = format!("the instance `{}` of `{}`", instance.id, instance.region);
        let Some(name) = self.hostnames.iter().chain(&defaults).find_map(|hostname| hostname.of(instance)) else {
            let problem = Problem::new("HW0123", format!("{who} has none of the `hostnames`")).at(&self.span);
            problems.push(problem.hint("tag it, or name another attribute"));
            return None;
        };
        let name = if name.contains(':') { names::safe(&name) } else { name };
        match HostName::new(name) {
            Ok(name) => Some(name),
            Err(error) => {
                problems.push(Problem::new("HW0123", format!("{who}: {error}")).at(&self.span));
                None
            }
        }
    }

    fn called_the_same(&self, a: &Instance, b: &Instance, name: &HostName) -> Problem {
        let message = format!(
            "the instances `{}` of `{}` and `{}` of `{}` are both called `{name}`",
            a.id, a.region, b.id, b.region
        );
        let hint = "give one of them another tag, or exclude it by `exclude_filters`";
        Problem::new("HW0123", message).at(&self.span).hint(hint)
    }

    /// The variables that facts give, and all that expressions see: facts under their own names too.
    fn facts(&self, instance: &Instance) -> (Map<String, Value>, Map<String, Value>) {
        let mut facts = instance.facts.clone();
        if self.tag_variables {
            for (key, value) in instance.tags().into_iter().flatten() {
                facts.insert(format!("ec2_tag_{key}"), value.clone());
            }
        }
        if self.hostvars_prefix.is_empty() && self.hostvars_suffix.is_empty() {
            return (facts.clone(), facts);
        }
        let renamed = |name: &String| self.fact_name(name);
        let vars: Map<String, Value> = facts.iter().map(|(name, value)| (renamed(name), value.clone())).collect();
        facts.extend(vars.clone());
        (vars, facts)
    }

    /// Expressions of `compose` see the facts, not each other.
    fn compose(
        &self,
        instance: &Instance,
        visible: &Map<String, Value>,
        vars: &mut Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) {
        let scope = expressions::scope(visible);
        for (name, expression) in &self.constructed.compose {
            match expressions::value(expression, &scope) {
                Ok(value) => drop(vars.insert(name.clone(), value)),
                Err(refused) => self.fail(instance, &Failure::of(expression, format!("`{name}`"), refused), problems),
            }
        }
    }

    fn groups(
        &self,
        instance: &Instance,
        name: &HostName,
        mut visible: Map<String, Value>,
        vars: &Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Membership> {
        visible.extend(vars.clone());
        visible.insert("inventory_hostname".to_owned(), Value::from(name.as_str()));
        let short = name.as_str().split('.').next().unwrap_or_default();
        visible.insert("inventory_hostname_short".to_owned(), Value::from(short));
        groups::of(&self.constructed, &expressions::scope(&visible), &mut |failure| {
            self.fail(instance, &failure, problems);
        })
    }

    /// Ansible passes over what fails, unless the file says `strict`.
    fn fail(&self, instance: &Instance, failure: &Failure, problems: &mut Vec<Problem>) {
        if !self.constructed.strict && !failure.always {
            return;
        }
        let Failure { expression, what, why, always } = failure;
        let message =
            format!("{what} of the instance `{}` of `{}`: `{}`: {why}", instance.id, instance.region, expression.text);
        let hint = if *always {
            "make a text of it, such as `| string`"
        } else {
            "give it a default, such as `| default('')`, or take `strict: true` out"
        };
        problems.push(Problem::new("HW0160", message).at(&expression.span).hint(hint));
    }
}

/// What Housewright needs to know and the file need not say.
fn defaults(instance: &Instance, vars: &mut Map<String, Value>) {
    for (name, value) in [("ansible_host", instance.text("private_ip_address")), ("zone", instance.zone())] {
        if let Some(value) = value.filter(|_| !vars.contains_key(name)) {
            vars.insert(name.to_owned(), Value::from(value));
        }
    }
}

/// Keys that make a mapping something else: a secret's reference, or what Ansible keeps for itself.
const SECRET_KEYS: [&str; 3] = ["from_secret", "__ansible_vault", "__ansible_unsafe"];

/// A value that would become the reference of a secret: whoever may write tags must not choose what is read or run here.
fn forbidden(value: &Value) -> Option<String> {
    let marked = |text: &str| text.contains([MARKER_START, MARKER_END]);
    match value {
        Value::String(text) if marked(text) => Some("a value has the marks of a secret's reference".to_owned()),
        Value::Array(items) => items.iter().find_map(forbidden),
        Value::Object(entries) => entries.iter().find_map(|(key, value)| {
            if SECRET_KEYS.contains(&key.as_str()) || marked(key) {
                return Some(format!("a value is called `{}`", key.replace(marked_char, "")));
            }
            forbidden(value)
        }),
        _ => None,
    }
}

fn marked_char(c: char) -> bool {
    c == MARKER_START || c == MARKER_END
}
