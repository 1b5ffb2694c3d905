//! Consumers: as many as there are partitions, cores and threads for, and one leg for each group (pure).

use serde_json::Value as Json;

use super::{Place, list};
use crate::fleet::Host;
use crate::problem::Problem;
use crate::schema::code;
use crate::schema::consumers;
use crate::schema::engine::{collection, kafka_setting};
use crate::schema::object::{Object, ObjectKind};

/// Topics, each with how many `partitions` it has.
const TOPICS: &str = "kafka_topics";
/// How many cores a host has.
const CORES: &str = "clickhouse_cores";
const SETTINGS: &str = "clickhouse_settings";
const POOL: &str = "background_message_broker_schedule_pool_size";

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    let tables = place.objects.iter().filter(|object| is_read(place.objects, object));
    let mut problems: Vec<Problem> = tables
        .flat_map(|table| {
            let of_one = [idle(place, table), more_than_cores(place, table)].into_iter().flatten();
            of_one.chain(group_of_another_role(place, table)).collect::<Vec<_>>()
        })
        .collect();
    problems.extend(small_pool(place));
    problems
}

/// A table that no materialized view reads from has no consumers.
fn is_read(objects: &[Object], table: &Object) -> bool {
    kafka_setting(table, "kafka_topic_list").is_some()
        && objects.iter().any(|view| view.kind == ObjectKind::MaterializedView && view.sources.contains(&table.name))
}

fn consumers_of(table: &Object) -> u64 {
    kafka_setting(table, "kafka_num_consumers").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// A partition has one consumer of a group; what is more gets nothing.
fn idle(place: &Place<'_>, table: &Object) -> Option<Problem> {
    let topics = kafka_setting(table, "kafka_topic_list")?.split(',').map(str::trim);
    let known = place.hosts.iter().find_map(|host| host.vars.get(TOPICS)?.as_object())?;
    let partitions = topics.map(|topic| known.get(topic)?.get("partitions")?.as_u64()).sum::<Option<u64>>()?;
    let all = consumers_of(table).saturating_mul(place.hosts.len() as u64);
    (all > partitions).then(|| {
        let message = format!(
            "table `{}` runs {all} consumers on {} hosts, and its topic has {partitions} partitions: {} get no row",
            table.name,
            place.hosts.len(),
            all - partitions
        );
        let hint = "fewer hosts or a lower `kafka_num_consumers`, or more partitions";
        Problem::note(code::IDLE_CONSUMERS, message).at(&table.span).hint(hint)
    })
}

/// The server refuses such a table
/// ([`kafka_disable_num_consumers_limit`](https://clickhouse.com/docs/engines/table-engines/integrations/kafka)).
fn more_than_cores(place: &Place<'_>, table: &Object) -> Option<Problem> {
    let consumers = consumers_of(table);
    let few = |host: &&&Host| host.vars.get(CORES).and_then(Json::as_u64).is_some_and(|cores| cores < consumers);
    let few: Vec<&str> = place.hosts.iter().filter(few).map(|host| host.name.as_str()).collect();
    (!few.is_empty()).then(|| {
        let message =
            format!("table `{}` wants {consumers} consumers, more than there are cores on {}", table.name, list(few));
        Problem::new(code::CONSUMERS_OVER_CORES, message)
            .at(&table.span)
            .hint("lower `kafka_num_consumers`: the server refuses more consumers than cores")
    })
}

/// A size that somebody has written; without one it follows from the consumers.
fn small_pool(place: &Place<'_>) -> Option<Problem> {
    let wanted = consumers(place.objects);
    let pool = |host: &&Host| host.vars.get(SETTINGS)?.get(POOL)?.as_u64().filter(|pool| *pool < wanted);
    let small: Vec<(&str, u64)> =
        place.hosts.iter().filter_map(|host| Some((host.name.as_str(), pool(host)?))).collect();
    let (_, size) = small.first()?;
    let first = place.objects.iter().find(|object| is_read(place.objects, object))?;
    let message = format!(
        "role `{}` runs {wanted} consumers, and `{POOL}` is {size} on {}: some never poll",
        place.name,
        list(small.iter().map(|(host, _)| *host))
    );
    let hint = format!("take `{POOL}` out of `{SETTINGS}`: its size follows from the consumers");
    Some(Problem::note(code::SMALL_POOL, message).at(&first.span).hint(hint))
}

/// As two tables of one role: each gets a part of the rows.
fn group_of_another_role(place: &Place<'_>, table: &Object) -> Option<Problem> {
    let leg = |table: &Object| {
        let brokers = collection(table).or_else(|| kafka_setting(table, "kafka_broker_list"));
        let text = |value: Option<&str>| value.map(str::to_owned);
        Some((
            kafka_setting(table, "kafka_topic_list")?.to_owned(),
            kafka_setting(table, "kafka_group_name")?.to_owned(),
            text(brokers),
        ))
    };
    let own = leg(table)?;
    // Told once, at the later role; an object of an included role is one statement.
    let before = place.schema.roles.iter().take_while(|(role, _)| *role != place.name);
    let (role, other) = before
        .flat_map(|(role, objects)| objects.iter().map(move |object| (role, objects, object)))
        .filter(|(_, objects, other)| other.span != table.span && is_read(objects, other))
        .find_map(|(role, _, other)| (leg(other).as_ref() == Some(&own)).then_some((role, other)))?;
    let message = format!(
        "table `{}` of role `{}` and `{}` of role `{role}` both read topic `{}` as group `{}`: each gets a part of the rows",
        table.name, place.name, other.name, own.0, own.1
    );
    Some(Problem::note(code::SAME_GROUP, message).at(&table.span).hint("give every leg its own `kafka_group_name`"))
}
