//! Kafka tables: brokers, named collections, consumers and groups (pure).

use serde_json::Value as Json;

use super::{COLLECTIONS, Place, list};
use crate::problem::{Problem, near_name};
use crate::schema::code;
use crate::schema::engine::{collection, kafka_setting};
use crate::schema::object::{Object, ObjectName};

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, object) in place.objects.iter().enumerate() {
        problems.extend(literal_brokers(object));
        problems.extend(one_thread(object));
        problems.extend(no_collection(place, object));
        let mut before = place.objects.iter().take(at);
        problems.extend(before.find_map(|other| same_group(other, object)));
    }
    problems
}

fn literal_brokers(object: &Object) -> Option<Problem> {
    let brokers = kafka_setting(object, "kafka_broker_list")?;
    let message = format!("table `{}` has its brokers written in: `{brokers}`", object.name);
    let hint = "name a collection, `Kafka(my_brokers, kafka_topic_list = ...)`: a Kafka table cannot be altered";
    Some(Problem::note(code::LITERAL_BROKERS, message).at(&object.span).hint(hint))
}

/// With the default 0 the rows of all consumers go through one thread
/// ([settings](https://clickhouse.com/docs/engines/table-engines/integrations/kafka)).
fn one_thread(object: &Object) -> Option<Problem> {
    let consumers: u64 = kafka_setting(object, "kafka_num_consumers")?.parse().ok()?;
    let own_thread =
        kafka_setting(object, "kafka_thread_per_consumer").is_some_and(|value| !matches!(value, "0" | "false"));
    if consumers < 2 || own_thread {
        return None;
    }
    let message = format!("table `{}` has {consumers} consumers on one thread", object.name);
    Some(Problem::note(code::ONE_THREAD, message).at(&object.span).hint("add `kafka_thread_per_consumer = 1`"))
}

fn no_collection(place: &Place<'_>, object: &Object) -> Option<Problem> {
    let name = collection(object)?;
    let created = ObjectName::Collection(name.to_owned());
    if place.objects.iter().any(|object| object.name == created) {
        return None;
    }
    let declared = |host: &&&crate::fleet::Host| host.vars.get(COLLECTIONS).and_then(Json::as_object).is_some();
    let silent: Vec<&str> = place.hosts.iter().filter(|host| !declared(host)).map(|host| host.name.as_str()).collect();
    let known = || place.hosts.iter().filter_map(|host| host.vars.get(COLLECTIONS)?.as_object());
    let has = |host: &&&crate::fleet::Host| {
        host.vars.get(COLLECTIONS).and_then(Json::as_object).is_some_and(|known| known.contains_key(name))
    };
    let without: Vec<&str> =
        place.hosts.iter().filter(declared).filter(|host| !has(host)).map(|host| host.name.as_str()).collect();
    if !without.is_empty() {
        let message =
            format!("table `{}` uses the named collection `{name}`, which is not on {}", object.name, list(without));
        let problem = Problem::new(code::NO_COLLECTION, message).at(&object.span);
        return Some(match near_name(name, known().flat_map(|known| known.keys().map(String::as_str))) {
            Some(near) => problem.hint(near),
            None => problem.hint(format!("add it to `{COLLECTIONS}`")),
        });
    }
    if silent.is_empty() {
        return None;
    }
    let message = format!(
        "table `{}` uses the named collection `{name}`, and no `{COLLECTIONS}` tells whether it is on {}",
        object.name,
        list(silent)
    );
    Some(Problem::note(code::UNKNOWN_COLLECTION, message).at(&object.span))
}

/// Two tables of one group share the topic's partitions: each gets a part of the rows.
fn same_group(one: &Object, other: &Object) -> Option<Problem> {
    let brokers = |object| (collection(object), kafka_setting(object, "kafka_broker_list"));
    let topic = kafka_setting(other, "kafka_topic_list")?;
    let group = kafka_setting(other, "kafka_group_name")?;
    let same = kafka_setting(one, "kafka_topic_list") == Some(topic)
        && kafka_setting(one, "kafka_group_name") == Some(group)
        && brokers(one) == brokers(other)
        && one.name != other.name;
    same.then(|| {
        let message = format!(
            "tables `{}` and `{}` both read topic `{topic}` as group `{group}`: each gets a part of the rows",
            one.name, other.name
        );
        Problem::note(code::SAME_GROUP, message).at(&other.span).hint("give every leg its own `kafka_group_name`")
    })
}
