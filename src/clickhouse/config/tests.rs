//! Keys, changes, masks and what they cost.

use std::collections::BTreeMap;

use super::*;

const CLUSTERS: &str = r#"<clickhouse>
  <!-- the talk's clusters -->
  <remote_servers replace="replace">
    <posthog>
      <secret>hunter2</secret>
      <shard><internal_replication>true</internal_replication>
        <replica><host>data-1a</host><port>9000</port></replica><replica><host>data-1b</host></replica></shard>
      <shard><replica><host>data-2a</host></replica></shard>
    </posthog>
  </remote_servers>
  <listen_host>::</listen_host><listen_host> 127.0.0.1 </listen_host>
</clickhouse>"#;

fn keys(xml: &str) -> ConfigKeys {
    ConfigKeys::from_xml(&format!("<clickhouse>{xml}</clickhouse>")).unwrap()
}

/// A host that says nothing and may consume.
const SILENT: HostSays<'static> = HostSays { settings: None, consumes: true };

fn lines(changes: &[KeyChange]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_is_a_list_of_keys() {
    let keys = ConfigKeys::from_xml(CLUSTERS).unwrap();
    let shown: Vec<String> = keys.entries.iter().map(|entry| format!("{} = {}", entry.path, entry.shown())).collect();
    assert_eq!(
        shown,
        [
            "remote_servers/@replace = replace",
            "remote_servers/posthog/secret = ‹secret›",
            "remote_servers/posthog/shard[1]/internal_replication = true",
            "remote_servers/posthog/shard[1]/replica[1]/host = data-1a",
            "remote_servers/posthog/shard[1]/replica[1]/port = 9000",
            "remote_servers/posthog/shard[1]/replica[2]/host = data-1b",
            "remote_servers/posthog/shard[2]/replica[1]/host = data-2a",
            "listen_host = ::",
            "listen_host[2] = 127.0.0.1",
        ]
    );
    assert!(keys.has("remote_servers/posthog") && !keys.has("remote_servers/post"));
    assert!(!format!("{keys:?}").contains("hunter2"));
}

#[test]
fn changes_name_the_key_and_hide_the_secret() {
    let old = ConfigKeys::from_xml(CLUSTERS).unwrap();
    let new = CLUSTERS.replace("hunter2", "hunter3").replace("data-2a", "data-2b").replace("<port>9000</port>", "");
    let new = new.replace("</posthog>", "<shard><replica><host>data-3a</host></replica></shard></posthog>");
    let changes = diff(&old, &ConfigKeys::from_xml(&new).unwrap());
    assert_eq!(
        lines(&changes),
        [
            "~ remote_servers/posthog/secret: ‹secret› -> ‹secret›",
            "~ remote_servers/posthog/shard[2]/replica[1]/host: data-2a -> data-2b",
            "+ remote_servers/posthog/shard[3]/replica[1]/host = data-3a",
            "- remote_servers/posthog/shard[1]/replica[1]/port = 9000",
        ]
    );
    assert!(!format!("{changes:?}").contains("hunter"));
    assert_eq!(diff(&old, &old), vec![]);
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    for xml in [
        "<users><u><password_sha256_hex>SEEKRET</password_sha256_hex></u></users>",
        "<named_collections><k><sasl_password>SEEKRET</sasl_password></k></named_collections>",
        "<storage_configuration><disks><s><access_key_id>SEEKRET</access_key_id></s></disks></storage_configuration>",
        "<storage_configuration><disks><s><header><name>X</name><value>SEEKRET</value></header></s></disks></storage_configuration>",
        "<zookeeper><identity>u:SEEKRET</identity></zookeeper>",
        "<a><url>https://u:SEEKRET@host/x</url></a>",
        "<a><url>https://u:SEEK/RET@host/x</url></a>",
        "<a token=\"SEEKRET\"/>",
        "<secrets><anything>SEEKRET</anything></secrets>",
        "<a><b password=\"x\">y</b><openSSL><server><privateKeyPassphraseHandler><options><Password>SEEKRET</Password></options></privateKeyPassphraseHandler></server></openSSL></a>",
    ] {
        let text = format!("{:?}", diff(&keys(""), &keys(xml))) + &format!("{:?}", diff(&keys(xml), &keys("")));
        assert!(!text.contains("SEEK") && text.contains(MASK), "{xml}: {text}");
    }
}

#[test]
fn no_xml_and_another_root_are_errors_without_the_text() {
    let error = ConfigKeys::from_xml("<clickhouse>\n<a>SEEKRET</b></clickhouse>").unwrap_err().to_string();
    assert_eq!(error, "cannot read the configuration: `a` is closed as `b` (line 2, column 11)");
    assert_eq!(ConfigKeys::from_xml("<config/>"), Err(ConfigError::Root("config".to_owned())));
    assert_eq!(ConfigKeys::from_xml(" "), Ok(ConfigKeys::default()));
}

#[test]
fn each_change_costs_what_the_table_says() {
    use ConfigDirectory::{Config, Users};
    use Disruption::{Reattach, Reload, Restart};
    let policy = |disks: &str, more: &str| {
        let volumes = format!("<volumes><v>{disks}</v>{more}</volumes>");
        format!("<storage_configuration><policies><p>{volumes}</p></policies></storage_configuration>")
    };
    let kafka = "<named_collections><a><b>1</b></a></named_collections>";
    for (old, new, directory, expected) in [
        ("<macros><shard>1</shard></macros>", "<macros><shard>2</shard></macros>", Config, Reload),
        ("", "<listen_host>::</listen_host>", Config, Reload),
        ("", "<merge_tree><x>1</x></merge_tree>", Config, Restart),
        ("", "<never_heard_of>1</never_heard_of>", Config, Restart),
        ("", kafka, Config, Reload),
        (kafka, "<named_collections><a><b>2</b></a></named_collections>", Config, Reattach),
        (kafka, "<named_collections><a><b>1</b><c>1</c></a></named_collections>", Config, Reattach),
        (kafka, "<named_collections><a><b>1</b></a><z><c>1</c></z></named_collections>", Config, Reload),
        (kafka, "", Config, Reattach),
        (
            "<background_pool_size>2</background_pool_size>",
            "<background_pool_size>16</background_pool_size>",
            Config,
            Reload,
        ),
        (
            "<background_pool_size>16</background_pool_size>",
            "<background_pool_size>2</background_pool_size>",
            Config,
            Restart,
        ),
        ("<logger><level>debug</level></logger>", "<logger><level>trace</level></logger>", Config, Reload),
        ("", "<logger><size>1</size></logger>", Config, Restart),
        ("", "<storage_configuration><disks><d><path>/x</path></d></disks></storage_configuration>", Config, Reload),
        ("<storage_configuration><disks><d><path>/x</path></d></disks></storage_configuration>", "", Config, Restart),
        (&policy("<disk>a</disk>", ""), &policy("<disk>a</disk><disk>b</disk>", ""), Config, Reload),
        (&policy("<disk>a</disk><disk>b</disk>", ""), &policy("<disk>a</disk>", ""), Config, Restart),
        (&policy("<disk>a</disk>", ""), &policy("<disk>a</disk>", "<w><disk>b</disk></w>"), Config, Reload),
        (&policy("<disk>a</disk>", ""), &policy("<disk>b</disk>", ""), Config, Restart),
        ("", "<profiles><default><max_threads>1</max_threads></default></profiles>", Users, Restart),
        ("", "<profiles><default><max_threads>1</max_threads></default></profiles>", Config, Restart),
        ("", "<macros><a>1</a></macros>", Users, Restart),
        ("", "", Config, Disruption::None),
    ] {
        let (disruption, reasons) = disruption_of(&diff(&keys(old), &keys(new)), directory, SILENT);
        assert_eq!(disruption, expected, "{old} -> {new}: {reasons:?}");
    }
}

#[test]
fn the_dearest_reason_comes_first_and_each_key_once() {
    let new = keys("<macros><a>1</a><b>2</b></macros><path>/x</path>");
    let (_, reasons) = disruption_of(&diff(&keys(""), &new), ConfigDirectory::Config, SILENT);
    let keys: Vec<&str> = reasons.iter().map(|reason| reason.key.as_str()).collect();
    assert_eq!(keys, ["path", "macros"]);
}

#[test]
fn directories_are_told_by_the_path() {
    assert_eq!(ConfigDirectory::of("/etc/clickhouse-server/config.d/macros.xml"), Some(ConfigDirectory::Config));
    assert_eq!(ConfigDirectory::of("/etc/clickhouse-server/users.d/x.xml"), Some(ConfigDirectory::Users));
    assert_eq!(ConfigDirectory::of("/etc/zookeeper/zoo.cfg"), None);
}

#[test]
fn a_profile_costs_a_reload_where_nothing_consumes() {
    let changes = diff(&keys(""), &keys("<profiles><default><max_threads>1</max_threads></default></profiles>"));
    let host = HostSays { consumes: false, ..SILENT };
    assert_eq!(disruption_of(&changes, ConfigDirectory::Users, host).0, Disruption::Reload);
}

#[test]
fn the_hosts_own_word_decides_where_the_table_repeats_servers() {
    use Changeable::{DecreaseOnly, IncreaseOnly, No, Yes};
    use Disruption::{Reload, Restart};
    let decide = |changeable: Option<Changeable>, xml: (&str, &str), name: &str| {
        let known = BTreeMap::from([(name.to_owned(), ServerSetting { kind: ValueKind::Integer, changeable })]);
        let settings = ServerSettings {
            known: known.into(),
            now: BTreeMap::from([(name.to_owned(), 16)]),
            ..ServerSettings::default()
        };
        let host = HostSays { settings: Some(&settings), consumes: true };
        let wrap = |value: &str| if value.is_empty() { keys("") } else { keys(&format!("<{name}>{value}</{name}>")) };
        let (disruption, reasons) = disruption_of(&diff(&wrap(xml.0), &wrap(xml.1)), ConfigDirectory::Config, host);
        (disruption, reasons.into_iter().map(|reason| reason.reason).collect::<String>())
    };
    for (changeable, xml, name, expected, why) in [
        // The table says that a reload is enough; this version says otherwise.
        (Some(No), ("", "8"), "max_concurrent_queries", Restart, "taken at the start only"),
        (Some(Yes), ("", "8"), "max_thread_pool_size", Reload, "changeable without restart"),
        (Some(IncreaseOnly), ("8", "9"), "background_pool_size", Reload, "can grow"),
        (Some(IncreaseOnly), ("9", "8"), "background_pool_size", Restart, "goes from 9 to 8"),
        // The value of before is the server's own where no file says it.
        (Some(IncreaseOnly), ("", "17"), "background_pool_size", Reload, "can grow"),
        (Some(IncreaseOnly), ("", "15"), "background_pool_size", Restart, "goes from 16 to 15"),
        (Some(IncreaseOnly), ("17", ""), "background_pool_size", Restart, "is not known"),
        (Some(IncreaseOnly), ("17", "many"), "background_pool_size", Restart, "is not known"),
        (Some(DecreaseOnly), ("9", "8"), "background_pool_size", Reload, "can shrink"),
        (Some(DecreaseOnly), ("8", "9"), "background_pool_size", Restart, "goes from 8 to 9"),
        // A setting of a later version that no rule names.
        (Some(Yes), ("", "8"), "setting_of_tomorrow", Reload, "changeable without restart"),
        (Some(No), ("", "8"), "setting_of_tomorrow", Restart, "taken at the start only"),
        // A version that does not tell.
        (None, ("", "8"), "setting_of_tomorrow", Restart, "not known"),
        (None, ("", "8"), "max_concurrent_queries", Reload, "measured"),
        // What was measured is known better than what the server says.
        (Some(Yes), ("", "8"), "s3queue_disable_streaming", Restart, "measured"),
    ] {
        let (disruption, reason) = decide(changeable, xml, name);
        assert_eq!(disruption, expected, "{name} {changeable:?} {xml:?}: {reason}");
        assert!(reason.contains(why), "{name} {changeable:?} {xml:?}: {reason}");
    }
}

#[test]
fn every_rule_can_be_reached_and_has_a_link() {
    for (at, rule) in rules().enumerate() {
        assert!(rule.link.starts_with("https://") && !rule.reason.ends_with('.'), "{rule:?}");
        for key in rule.keys {
            let before = rules().take(at);
            let before = before.filter(|other| other.directory == rule.directory && other.when == When::Always);
            let hidden =
                before.flat_map(|other| other.keys).any(|other| key == other || key.starts_with(&format!("{other}/")));
            assert!(!hidden, "{key} can never decide");
        }
    }
}

/// Facts of the server's own files: `key NAME`, `setting NAME TYPE CHANGEABLE`.
const KNOWN: &str = include_str!("table/known.txt");

#[test]
fn every_key_of_the_servers_own_configuration_has_a_rule() {
    let named = |path: &str| rules().any(|rule| rule.keys.iter().any(|key| key.split('/').next() == Some(path)));
    let words = || KNOWN.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let all: Vec<_> = words().filter(|words| matches!(words[0], "key" | "setting")).map(|words| words[1]).collect();
    assert!(all.len() > 370, "the list is read: {}", all.len());
    let missing: Vec<_> = all.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "no rule names {missing:?}");
    for words in words().filter(|words| words[0] == "setting" && words[1] != "s3queue_disable_streaming") {
        let cost = |old: &str, new: &str| {
            let wrap = |value: &str| keys(&format!("<{0}>{value}</{0}>", words[1]));
            disruption_of(&diff(&wrap(old), &wrap(new)), ConfigDirectory::Config, SILENT).0
        };
        let expected = match words[3] {
            "Yes" => (Disruption::Reload, Disruption::Reload),
            "IncreaseOnly" => (Disruption::Reload, Disruption::Restart),
            _ => (Disruption::Restart, Disruption::Restart),
        };
        assert_eq!((cost("1", "2"), cost("2", "1")), expected, "{words:?}");
    }
}

proptest::proptest! {
    #[test]
    fn every_text_is_keys_or_an_error(text in proptest::prelude::any::<String>(), inside in "[<>/a-c =\"&;!\\[-]{0,40}") {
        let _ = ConfigKeys::from_xml(&text);
        let _ = ConfigKeys::from_xml(&format!("<clickhouse>{inside}</clickhouse>"));
    }
}
