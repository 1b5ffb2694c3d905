//! The render stage over the repository's own roles, templates and variables.
//!
//! `HOUSEWRIGHT_BLESS=1 cargo test --test render` writes the golden files anew.

use std::fs;
use std::sync::Arc;

use housewright::fleet::{Fleet, HostName, Layout, Placement, Reach};
use housewright::problem::Source;
use housewright::render::{Templates, render, secrets_of, undeclared};
use housewright::secret::SecretStore;
use serde_json::{Map, json};

#[path = "render/contents.rs"]
mod contents;
#[path = "render/fleets.rs"]
mod fleets;
#[path = "render/masks.rs"]
mod masks;

use fleets::{
    FleetBuilder, all_secrets, lab, one_file, problems_of, production, production_ingestion, root, shown, storage,
    templates, text_of, yaml,
};

fn compare(fleet_name: &str, fleet: &Fleet, hosts: &[&str]) {
    let desired = render(fleet, &templates(), &all_secrets(fleet, "never-shown"));
    let desired = desired.unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    let mut wrong = Vec::new();
    for name in hosts {
        for (path, file) in &desired[&HostName::new(*name).unwrap()].files {
            let golden = root().join(format!("tests/golden/{fleet_name}/{name}{path}"));
            if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
                fs::create_dir_all(golden.parent().unwrap()).unwrap();
                fs::write(&golden, file.content.shown()).unwrap();
            }
            if fs::read_to_string(&golden).unwrap_or_default() != file.content.shown() {
                wrong.push(golden);
            }
        }
    }
    assert!(wrong.is_empty(), "not as rendered: {wrong:#?}");
}

#[test]
fn the_lab_is_rendered_as_the_golden_files_say() {
    compare("lab", &lab("10.77", Map::new()), &["data-1-1", "ingestion-small-1", "keeper-1"]);
}

#[test]
fn a_production_fleet_is_rendered_as_the_golden_files_say() {
    compare("production", &production(), &["data-01-a", "keeper-2"]);
    compare("production", &production_ingestion(), &["ingestion-events-01"]);
}

#[test]
fn three_zookeepers_know_each_other() {
    let add = |builder: FleetBuilder, id| {
        builder.host(&format!("k{id}"), "zookeeper", &format!("k{id}.internal"), Placement::Keeper { id })
    };
    compare("zookeepers", &[1, 2, 3].into_iter().fold(FleetBuilder::default(), add).build(), &["k2"]);
}

#[test]
fn a_pod_that_somebody_else_runs_has_no_files() {
    let mut fleet = lab("10.77", Map::new());
    let pod = HostName::new("ingestion-events-1").unwrap();
    fleet.hosts.get_mut(&pod).unwrap().reach = Reach::Member;
    let desired = render(&fleet, &templates(), &all_secrets(&fleet, "x")).unwrap();
    assert_eq!(desired.len(), 8);
    assert!(!desired.contains_key(&pod));
}

/// Equal inputs are rendered once; what an included template uses is an input too.
#[test]
fn a_host_never_gets_the_text_of_another() {
    let (mut fleet, _) = one_file("", &json!({}));
    let first = fleet.hosts.values().next().unwrap().clone();
    for (number, rack) in ["a", "b", "a"].iter().enumerate() {
        let mut host = first.clone();
        host.name = HostName::new(format!("h{number}")).unwrap();
        host.vars.insert("rack".to_owned(), json!(rack).into());
        fleet.hosts.insert(host.name.clone(), host);
    }
    fleet.hosts.remove(&first.name);
    let source =
        |name: &str, text: &str| (name.to_owned(), Arc::new(Source { name: name.to_owned(), text: text.to_owned() }));
    let texts = [source("a.xml.tera", "<a>{% include 'b.tera' %}</a>"), source("b.tera", "{{ rack }}")];
    let templates = Templates::new(texts.into_iter().collect()).unwrap();
    let desired = render(&fleet, &templates, &SecretStore::default()).unwrap();
    let shown: Vec<&str> =
        desired.values().flat_map(|host| host.files.values()).map(|file| file.content.shown()).collect();
    assert_eq!(shown, ["<a>a</a>", "<a>b</a>", "<a>a</a>"]);
}

#[test]
fn every_secret_of_the_inventory_is_asked_for() {
    let names: Vec<String> = secrets_of(&production()).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    env:CLICKHOUSE_APP_PASSWORD
    env:CLICKHOUSE_CLUSTER_SECRET
    env:CLICKHOUSE_INTERSERVER_PASSWORD
    env:CLICKHOUSE_METRICS_SHA256
    env:MSK_PASSWORD
    env:WARPSTREAM_PASSWORD
    env:WARPSTREAM_USERNAME
    ");
}

#[test]
fn an_undefined_variable_has_its_place_and_the_near_name() {
    let template = "<a>\n  <b>{{ broker_lits }}</b>\n</a>";
    insta::assert_snapshot!(problems_of(template, &json!({"broker_list": "b:9092"})), @r"
    HW0502 templates/a.xml.tera:2:9: variable `broker_lits` is not defined (host `small-1`)
      hint: did you mean `broker_list`?
    ");
}

#[test]
fn a_misspelt_field_has_its_place() {
    insta::assert_snapshot!(problems_of("<a>{{ host.fqnd }}</a>", &json!({})), @r"
    HW0502 templates/a.xml.tera:1:12: field `fqnd` is not defined (host `small-1`)
      hint: did you mean `fqdn`?
    ");
}

#[test]
fn a_template_that_does_not_parse_has_its_place() {
    insta::assert_snapshot!(problems_of("<a>\n{% if x %}</a>", &json!({})), @r"HW0501 templates/a.xml.tera:2:11: unexpected end of input");
}

#[test]
fn a_setting_that_is_no_element_has_its_place() {
    insta::assert_snapshot!(problems_of("<a>{{ s | elements }}</a>", &json!({"s": {"a b": 1}})), @r"HW0502 templates/a.xml.tera:1:11: `a b` cannot be the name of an XML element (host `small-1`)");
}

#[test]
fn a_rendered_file_that_is_not_well_formed_is_a_problem() {
    insta::assert_snapshot!(problems_of("<a>\n  <b>text</c>\n</a>", &json!({})), @r"HW0505 /etc/a.xml (rendered from a.xml.tera):2:10: the rendered XML is not well-formed: expected 'b' tag, not 'c' (host `small-1`)");
}

#[test]
fn an_empty_cluster_never_reaches_a_server() {
    let template = "<clickhouse><remote_servers><good><shard><replica/></shard></good>\n<bad></bad>\n\
                    <worse><shard/></worse><gone remove=\"1\"/></remote_servers></clickhouse>";
    insta::assert_snapshot!(problems_of(template, &json!({})), @r"
    HW0506 /etc/a.xml (rendered from a.xml.tera):2:1: cluster `bad` has no shard: ClickHouse would empty `system.clusters` on reload (host `small-1`)
    HW0506 /etc/a.xml (rendered from a.xml.tera):3:1: cluster `worse` has a shard without a replica: ClickHouse would empty `system.clusters` on reload (host `small-1`)
    ");
}

#[test]
fn every_bad_template_is_told_at_once() {
    let texts = [
        ("a.tera", "{{ x"),
        ("b.tera", "{% include 'c.tera' %}"),
        ("d.tera", "{{ x | nofilter }}"),
        ("e.tera", "{% include 'a.tera' %}"),
    ];
    let source = |(name, text): (&str, &str)| {
        (name.to_owned(), Arc::new(Source { name: format!("templates/{name}"), text: text.to_owned() }))
    };
    insta::assert_snapshot!(shown(&Templates::new(texts.into_iter().map(source).collect()).unwrap_err()), @r"
    HW0501 templates/a.tera:1:4: unexpected end of input
    HW0501 templates/b.tera:1:12: unknown template `c.tera`
    HW0501 templates/d.tera:1:8: unknown filter `nofilter`
    ");
}

#[test]
fn a_variable_that_nobody_defines_is_noted() {
    let (fleet, templates) = one_file("<a>{% if clickhouse_setings %}x{% endif %}</a>", &json!({}));
    insta::assert_snapshot!(shown(&undeclared(&fleet, &templates.unwrap())), @r"
    HW0512 templates/a.xml.tera:1:10: template `a.xml.tera` uses `clickhouse_setings`, which no host that has the file defines
      hint: did you mean `clickhouse_settings`?
    ");
    assert_eq!(undeclared(&lab("10.77", Map::new()), &fleets::templates()), []);
}

#[test]
fn a_secret_that_a_filter_would_break_is_a_problem() {
    let vars = json!({"password": {"from_secret": "env:PASSWORD"}});
    insta::assert_snapshot!(problems_of("<a>{{ password | upper }}</a>", &vars), @r"
    HW0507 template `a.xml.tera`: a secret's marker is damaged: filters cannot look into a secret (host `small-1`)
      hint: print the variable without a filter
    ");
}

#[test]
fn a_loop_over_a_map_is_refused() {
    insta::assert_snapshot!(problems_of("<a>{% for key, value in host %}{% endfor %}</a>", &json!({})), @r"
    HW0504 templates/a.xml.tera:1:4: a loop over a map has no fixed order
      hint: write `{% for pair in map | pairs %}` and use `pair[0]` and `pair[1]`
    ");
}

#[test]
fn one_problem_of_many_hosts_is_told_once() {
    let problems = render(&lab("10.77", Map::new()), &templates(), &SecretStore::default()).unwrap_err();
    insta::assert_snapshot!(shown(&problems), @r"HW0507 template `clickhouse/config.d/remote_servers.xml.tera`: secret `file:/var/lib/housewright-lab/secrets/cluster_secret` was not read (8 hosts, `data-1-1` is the first)");
}

#[test]
#[ignore = "a measurement: cargo test --release --test render -- --ignored --nocapture"]
fn two_hundred_hosts() {
    let names: Vec<String> = (0..200).map(|number| format!("h{number}")).collect();
    let mut builder = FleetBuilder::default().vars(yaml("inventories/us-east-1/group_vars/all.yml"));
    for (number, name) in names.iter().enumerate() {
        builder = builder.host(name, "data", name, storage(u32::try_from(number / 3 + 1).unwrap(), name));
    }
    let each: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let each: Vec<&[&str]> = each.iter().map(<[&str; 1]>::as_slice).collect();
    for cluster in ["a", "b", "c", "d", "e", "f"] {
        builder = builder.cluster(cluster, Layout::OneShardPerHost, &each, "env:S");
    }
    let fleet = builder.build();
    let (templates, secrets) = (templates(), all_secrets(&fleet, "x"));
    let start = std::time::Instant::now();
    let files: usize = render(&fleet, &templates, &secrets).unwrap().values().map(|desired| desired.files.len()).sum();
    println!("{files} files in {:?}", start.elapsed());
}

/// The server's own form: https://clickhouse.com/docs/operations/configuration-files
#[test]
fn yaml_says_what_xml_says() {
    let settings = json!({ "s": {
        "logger": { "@replace": "replace", "level": "trace", "count": 10 },
        "shard": [{ "replica": [{ "host": "a" }, { "host": "b: #\"\\" }] }, { "replica": { "host": "c" } }],
        "empty": {}, "none": [], "flag": true, "ratio": 0.9,
        "password": { "from_secret": "env:P" }, "env": { "@from_env": "X", "#text": "default" },
    } });
    let secret = "a\"b\\c: #";
    let (text, shown) = text_of("a.yaml", "clickhouse:\n{{ s | yaml(indent=2) }}\n", &settings, secret).unwrap();
    insta::assert_snapshot!(shown, @r##"
    clickhouse:
      empty: {}
      env:
        "#text": "default"
        "@from_env": "X"
      flag: 1
      logger:
        "@replace": "replace"
        count: 10
        level: "trace"
      password: "‹env:P›"
      ratio: 0.9
      shard:
        - replica:
            - host: "a"
            - host: "b: #\"\\"
        - replica:
            host: "c"
    "##);
    let read: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(read["clickhouse"]["password"], json!(secret));
    assert_eq!(read["clickhouse"]["shard"][0]["replica"][1]["host"], json!("b: #\"\\"));
    assert_eq!(read["clickhouse"]["flag"], json!(1));
    assert!(!shown.contains(secret));
}

#[test]
fn an_empty_cluster_never_reaches_a_server_in_yaml_either() {
    let wrong = |template: &str| text_of("a.yaml", template, &json!({}), "x").unwrap_err();
    let found = wrong(
        "remote_servers:\n  good: { shard: { replica: [{ host: a }] } }\n  bad: { secret: x }\n  worse: { shard: [{ weight: 1 }] }\n",
    );
    assert!(
        found.contains("HW0506")
            && found.contains("`bad` has no shard")
            && found.contains("`worse` has a shard without a replica"),
        "{found}"
    );
    assert!(!found.contains("`good`"), "{found}");
    assert!(wrong("a: [1\n").contains("HW0505"));
}

/// systemd takes the quotes and backslashes away, ClickHouse reads the rest as XML.
#[test]
fn an_environment_is_escaped_for_both_who_read_it() {
    let vars = json!({ "e": { "A": { "from_secret": "env:P" }, "B": "x\"$", "C": 5 } });
    let (text, shown) = text_of("a.from_env", "{{ e | environment }}\n", &vars, "p$\"x`\\ <&>'").unwrap();
    assert_eq!(text, "A=\"p\\$\\\"x\\`\\\\ &lt;&amp;&gt;'\"\nB=\"x\\\"\\$\"\nC=\"5\"\n");
    assert!(shown.starts_with("A=\"‹env:P›\"\n"), "{shown}");
    let wrong = |vars| text_of("a.from_env", "{{ e | environment }}", &vars, "a\u{1}b").unwrap_err();
    assert!(wrong(json!({ "e": { "A-B": "x" } })).contains("cannot be the name of an environment variable"));
    assert!(wrong(json!({ "e": { "A": { "from_secret": "env:P" } } })).contains("control character"));
}

#[test]
fn a_password_reaches_the_host_as_its_digest_only() {
    let vars = json!({ "p": { "from_secret": "env:P" }, "q": "abc" });
    let (text, shown) =
        text_of("a.xml", "<a><b>{{ p | sha256_hex }}</b><c>{{ q | sha256_hex }}</c></a>", &vars, "abc").unwrap();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(text, format!("<a><b>{digest}</b><c>{digest}</c></a>"));
    assert!(shown.contains("<b>‹sha256 of env:P›</b>"), "{shown}");
    let wrong = text_of("a.xml", "<a>{{ p ~ 'x' | sha256_hex }}</a>", &vars, "abc");
    assert!(wrong.is_ok() || wrong.unwrap_err().contains("one whole secret"));
}

#[test]
fn settings_are_laid_over_each_other_key_by_key() {
    let vars = json!({
        "base": { "logger": { "level": "information", "count": 10 }, "a": 1, "gone": 1 },
        "own": { "logger": { "level": "trace", "count": null }, "b": { "c": 1 }, "gone": null, "new": null },
    });
    let (text, _) =
        text_of("a.xml", "<x>\n{{ own | over(base=base) | without(keys=[\"b\"]) | elements }}\n</x>", &vars, "")
            .unwrap();
    assert_eq!(text, "<x>\n<a>1</a>\n<logger>\n    <level>trace</level>\n</logger>\n<new/>\n</x>");
}
