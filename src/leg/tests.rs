//! Legs as people write them: added, judged, taken out.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::fleet::HostName;
use crate::problem::Source;
use crate::role::SchemaFile;
use crate::schema::read_files;

fn role() -> RoleName {
    RoleName::new("small").unwrap()
}

fn read(files: &BTreeMap<String, String>) -> BTreeMap<RoleName, Vec<Object>> {
    let file = |(name, text): (&String, &String)| {
        let source = Arc::new(Source { name: name.clone(), text: text.clone() });
        SchemaFile { role: role(), source }
    };
    let (objects, problems) = read_files(&files.iter().map(file).collect::<Vec<_>>());
    assert_eq!(problems, [], "{files:#?}");
    BTreeMap::from([(role(), objects)])
}

fn one_file(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("a.sql".to_owned(), text.to_owned())])
}

fn written(text: &str, collection: &str) -> Result<BTreeMap<String, String>, String> {
    let objects = read(&one_file(text));
    let legs = legs(&objects);
    add(&legs[0], collection, None).map(|added| added.files)
}

const GROUPS: &str = "\
-- Head.
CREATE TABLE writable (a String) ENGINE = Distributed('c', 'default', 'groups'); -- sends on

-- Not of the leg.
CREATE TABLE other (a String) ENGINE = Null;
CREATE TABLE kafka_groups_msk (a String /* kafka_groups_msk */) -- 'msk'
ENGINE = Kafka(msk, kafka_topic_list = 'groups', kafka_group_name = 'g-msk', kafka_format = 'JSONEachRow');
CREATE MATERIALIZED VIEW mv TO writable AS
SELECT kafka_groups_msk.a FROM default.kafka_groups_msk
";

#[test]
fn a_leg_beside_another_has_its_own_names_collection_and_group_and_all_the_rest() {
    let files = written(GROUPS, "warp").unwrap();
    insta::assert_snapshot!(files["a_warp.sql"], @r"
    -- Head.
    CREATE TABLE writable_warp (a String) ENGINE = Distributed('c', 'default', 'groups'); -- sends on
    CREATE TABLE kafka_groups_warp (a String /* kafka_groups_msk */) -- 'msk'
    ENGINE = Kafka(warp, kafka_topic_list = 'groups', kafka_group_name = 'g_warp', kafka_format = 'JSONEachRow');
    CREATE MATERIALIZED VIEW mv_warp TO writable_warp AS
    SELECT kafka_groups_warp.a FROM default.kafka_groups_warp;
    ");
}

#[test]
fn what_the_tokens_do_not_tell_is_refused() {
    let why = |text: &str| written(text, "warp").unwrap_err();
    let kafka = "CREATE TABLE k (a String) ENGINE = Kafka(msk, kafka_topic_list = 't', kafka_group_name = 'g');";
    let view = "CREATE MATERIALIZED VIEW v TO w AS SELECT a FROM k;";
    assert_eq!(
        why(&format!("{kafka}CREATE MATERIALIZED VIEW v TO w AS SELECT k FROM k;")),
        "`v` cannot be written for it: `k` in line 1 may be the table or something else of that name"
    );
    assert_eq!(
        why(&format!("CREATE TABLE k (a String) ENGINE = Kafka('b', 't', 'g', 'f');{view}")),
        "`k` has its brokers written in: name a collection in its place first, and apply that"
    );
    assert_eq!(
        why(&format!("CREATE TABLE k (a String) ENGINE = Kafka(msk, kafka_topic_list = 't');{view}")),
        "`k` says no `kafka_group_name`"
    );
    assert_eq!(
        why(&format!("{kafka}{view}CREATE TABLE k_warp (a Int8) ENGINE = Null;")),
        "the role has a `k_warp` already"
    );
    assert_eq!(
        why(&format!("{kafka}CREATE MATERIALIZED VIEW v ENGINE = Memory AS SELECT a FROM k;")),
        "`v` keeps its rows itself: give it a table with `TO` first"
    );
}

#[test]
fn a_template_is_left_to_its_writer() {
    let objects = read(&BTreeMap::from([("a.sql.tera".to_owned(), GROUPS.to_owned())]));
    let legs = legs(&objects);
    let why = "`a.sql.tera` is a template: write and take out its legs by hand";
    assert_eq!(add(&legs[0], "warp", None).unwrap_err(), why);
    assert_eq!(remove(&legs[0], &[]).unwrap_err(), why);
}

#[test]
fn a_sink_is_shared_and_what_others_write_to_stays() {
    let text = "CREATE TABLE sink (a String) ENGINE = Kafka(msk, kafka_topic_list = 'out', kafka_group_name = 'none');
CREATE TABLE k (a String) ENGINE = Kafka(msk, kafka_topic_list = 't', kafka_group_name = 'g');
CREATE MATERIALIZED VIEW v TO sink AS SELECT a FROM k;";
    let files = written(text, "warp").unwrap();
    assert!(files["a_warp.sql"].contains("VIEW v_warp TO sink AS") && !files["a_warp.sql"].contains("'out'"));

    let text = GROUPS.trim().to_owned()
        + ";\nCREATE TABLE k2 (a String) ENGINE = Kafka(warp, kafka_topic_list = 'groups', kafka_group_name = 'g2');
CREATE MATERIALIZED VIEW mv2 TO writable AS SELECT a FROM k2;";
    let objects = read(&one_file(&text));
    let legs = legs(&objects);
    let all: Vec<&Object> = objects.values().flatten().collect();
    let edited = remove(&legs[0], &all).unwrap();
    assert_eq!(edited.kept, [ObjectName::relation(None, "writable")]);
    let left = read(&one_file(edited.files["a.sql"].as_deref().unwrap()));
    let names: Vec<String> = left.values().flatten().map(|object| object.name.to_string()).collect();
    assert_eq!(names, ["writable", "other", "k2", "mv2"]);
}

fn sample(at: u64, table: TableSample) -> Sample {
    Sample { at, tables: BTreeMap::from([(ObjectName::relation(None, "kafka_groups_msk"), table)]) }
}

#[test]
fn a_leg_is_proven_and_drained_by_what_all_its_hosts_tell() {
    let objects = read(&one_file(GROUPS));
    let legs = legs(&objects);
    let (one, two) = (HostName::new("one").unwrap(), HostName::new("two").unwrap());
    let table = |messages| TableSample { consumers: 1, polling: 1, partitions: 2, messages, ..TableSample::default() };
    let judged = |first: (TableSample, TableSample), second: Option<(TableSample, TableSample)>, window: u64| {
        let samples = [(&one, Some(first)), (&two, second)];
        let both = samples.into_iter().filter_map(|(host, told)| {
            let (before, now) = told?;
            Some((host.clone(), (sample(1000, before), sample(1000 + window, now))))
        });
        let state = state(&legs[0], &[&one, &two], &both.collect());
        let met = |bars: Vec<Bar>| bars.iter().map(|bar| bar.met).collect::<Vec<_>>();
        (met(proven(&state)), met(drained(&state)))
    };
    let all = |first, second, window| judged(first, Some(second), window);
    let yes = || (table(5), table(5));
    // Rows come on one host: proven, and not drained.
    assert_eq!(all((table(5), table(9)), yes(), 10_000), (vec![true; 4], vec![true, true, false]));
    // Nothing comes for long enough: drained; nobody can say that it is proven.
    assert_eq!(all(yes(), yes(), 10_000), (vec![true, true, false, true], vec![true; 3]));
    // Not for long enough, and the server tells no lag; where it tells one of 0, that is enough.
    assert_eq!(all(yes(), yes(), 7_999).1, [true, true, false]);
    let told = |lag| TableSample { lag: Some(lag), ..table(5) };
    assert_eq!(all((told(0), told(0)), (told(0), told(0)), 1000), (vec![true; 4], vec![true; 3]));
    assert_eq!(all((told(0), told(0)), (told(1), told(1)), 60_000).1, [true, true, false]);
    // It keeps up with producers that still write to it: not drained.
    let keeps_up = TableSample { messages: 9, ..told(0) };
    assert_eq!(all((told(0), keeps_up), (told(0), told(0)), 60_000).1, [true, true, false]);
    // A host that is silent, an error, a consumer that does not poll, one that cannot write, a counter that began anew.
    assert_eq!(judged(yes(), None, 10_000), (vec![false, true, false, true], vec![false, true, true]));
    let with = |change: fn(&mut TableSample)| {
        let mut table = table(5);
        change(&mut table);
        all((table.clone(), table), yes(), 10_000).1
    };
    assert_eq!(with(|table| table.errors = 1), [true, false, true]);
    assert_eq!(with(|table| table.stuck = 1), [true, false, true]);
    assert_eq!(with(|table| table.polling = 0), [false, true, true]);
    assert_eq!(all((table(5), table(0)), yes(), 10_000), (vec![true, true, false, true], vec![true, true, false]));
}

/// Texts of legs: names, databases, comments, forms of settings and files as people write them.
fn leg_files() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = || select(vec!["kafka_groups", "k", "`we ird`", "\"q\"", "kafka_msk", "db.kafka", "`a``b`"]);
    let comment = || select(vec!["", "-- msk; kafka\n", "/* 'k' ; */ ", "\n\n# k\n"]);
    (name(), comment(), comment(), any::<bool>(), any::<bool>(), any::<bool>(), 1_usize..3).prop_map(
        |(name, above, inside, settings, one_file, qualified, views)| {
            let settings = if settings {
                format!("Kafka(msk) {inside}SETTINGS kafka_topic_list = 't', {inside}kafka_group_name = 'g', kafka_num_consumers = 2")
            } else {
                format!("Kafka(msk, {inside}kafka_topic_list = 't', kafka_format = 'x;y', kafka_group_name = 'g{inside}')")
            };
            let settings = settings.replace("'g-- msk; kafka\n'", "'g'").replace("'g\n\n# k\n'", "'g'").replace("'g/* 'k' ; */ '", "'g'");
            let column = if qualified { format!("{name}.col") } else { "col".to_owned() };
            let mut texts = vec![
                format!("{above}CREATE TABLE writable (col String) ENGINE = Distributed(c, default, t);"),
                format!("{above}CREATE TABLE IF NOT EXISTS {name} (col String {inside}) ENGINE = {settings};"),
            ];
            texts.extend((0..views).map(|n| format!("{above}CREATE MATERIALIZED VIEW v{n} TO writable AS {inside}SELECT {column} FROM {inside}{name};")));
            if one_file {
                BTreeMap::from([("all.sql".to_owned(), texts.join("\n"))])
            } else {
                texts.into_iter().enumerate().map(|(n, text)| (format!("{n}.sql"), text)).collect()
            }
        },
    )
}

proptest! {
    #[test]
    fn a_leg_that_was_added_reads_as_the_old_one_and_goes_without_a_trace(files in leg_files(), collection in select(vec!["warp", "we ird", "msk2"])) {
        let objects = read(&files);
        let old = legs(&objects);
        prop_assert_eq!(old.len(), 1);
        let added = add(&old[0], collection, None).unwrap();
        // A leg of the same parts, and comments are all that else is there.
        let mut both = files.clone();
        both.extend(added.files.clone());
        prop_assert_eq!(both.len(), files.len() + added.files.len());
        let objects = read(&both);
        let two = legs(&objects);
        prop_assert_eq!(two.len(), 2);
        let new = two.iter().find(|leg| leg.collection() == Some(collection)).unwrap();
        let old = two.iter().find(|leg| leg.collection() == Some("msk")).unwrap();
        prop_assert_eq!(new.group().unwrap(), format!("g_{}", collection.replace(' ', "_")));
        prop_assert_eq!((new.views.len(), new.targets.len(), new.consumers()), (old.views.len(), old.targets.len(), old.consumers()));
        prop_assert_eq!(new.topics().collect::<Vec<_>>(), old.topics().collect::<Vec<_>>());
        prop_assert!(new.objects().all(|object| old.objects().all(|other| other.name != object.name)));
        for (one, other) in new.objects().zip(old.objects()) {
            prop_assert_eq!(&one.columns, &other.columns);
        }
        // Its files hold nothing else; the old leg's too.
        let all: Vec<&Object> = objects.values().flatten().collect();
        let gone = remove(new, &all).unwrap();
        prop_assert_eq!(gone.files.keys().collect::<Vec<_>>(), added.files.keys().collect::<Vec<_>>());
        prop_assert!(gone.files.values().all(Option::is_none));
        let gone = remove(old, &all).unwrap();
        prop_assert_eq!(gone.files.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        prop_assert!(gone.files.values().all(Option::is_none));
    }
}
