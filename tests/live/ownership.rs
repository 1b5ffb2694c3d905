//! Whose a file is, on real hosts: what leaves a role goes, what is of others stays until it is adopted, and what was taken
//! away comes back where the server does not start without it.

use crate::fleet::{DATA, Fleet, eventually};

/// A setting that a reload takes, and one that only a start takes.
const RELOADED: &str = "max_concurrent_insert_queries";
const AT_START: &str = "max_thread_pool_size";

const EXTRA: &str = "/etc/clickhouse-server/config.d/zz_extra.xml";
const START: &str = "/etc/clickhouse-server/config.d/zz_start.xml";
const MINE: &str = "/etc/clickhouse-server/config.d/zz_mine.xml";
const PROFILE: &str = "/etc/clickhouse-server/users.d/zz_profile.xml";
const MANIFEST: &str = "/var/lib/housewright/manifest";

#[test]
fn files_leave_come_back_and_are_adopted() {
    let fleet = Fleet::up().patient();
    let [data, shufflehog] = ["roles/data/role.yml", "roles/shufflehog/role.yml"];
    let without = [data, shufflehog].map(|role| std::fs::read_to_string(fleet.path(role)).expect("a role"));
    gains(&fleet, data, EXTRA, &one(RELOADED, 77));
    gains(&fleet, data, PROFILE, "<profiles><gone><max_threads>1</max_threads></gone></profiles>");
    gains(&fleet, shufflehog, START, &one(AT_START, 9100));
    fleet.converges();
    for host in DATA {
        assert_eq!(setting(&fleet, host, RELOADED), "77", "{host}");
        assert!(fleet.on(host, &format!("cat {MANIFEST}")).contains(EXTRA), "{host}");
    }
    assert_eq!(setting(&fleet, "shufflehog-1", AT_START), "9100");

    for (role, text) in [data, shufflehog].iter().zip(&without) {
        std::fs::write(fleet.path(role), text).expect("the role");
    }
    a_start_that_needs_the_file_gets_it_back(&fleet);
    what_somebody_still_needs_stays(&fleet);
    what_left_is_removed(&fleet);
    what_is_of_others_is_told_and_left(&fleet);
    what_is_adopted_and_no_role_has_goes(&fleet);
    what_is_adopted_and_a_role_has_is_overwritten(&fleet, data);
    fleet.plan(&[]).exits(0).says(["nothing to do, 9 as desired"]);
}

/// A role has one file more.
fn gains(fleet: &Fleet, role: &str, path: &str, content: &str) {
    let template = format!("{}.tera", path.rsplit('/').next().expect("a name"));
    let text = format!("<!-- {{{{ managed_by }}}} -->\n<clickhouse>{content}</clickhouse>\n");
    std::fs::write(fleet.path(&format!("templates/{template}")), text).expect("a template");
    let file = format!(
        "\nfiles:\n  - {{ template: {template}, path: {path}, owner: clickhouse, group: clickhouse, mode: \"0640\", \
         unit: clickhouse-server }}\n"
    );
    let text = std::fs::read_to_string(fleet.path(role)).expect("a role");
    let more = if text.contains("\nfiles:\n") { text.replacen("\nfiles:\n", &file, 1) } else { text + &file };
    std::fs::write(fleet.path(role), more).expect("a role");
}

fn one(setting: &str, value: u32) -> String {
    format!("<{setting}>{value}</{setting}>")
}

#[track_caller]
fn setting(fleet: &Fleet, host: &str, name: &str) -> String {
    fleet.sql(host, &format!("SELECT value FROM system.server_settings WHERE name = '{name}'"))
}

fn adopt(fleet: &Fleet, words: &[&str]) -> crate::desk::Run {
    fleet.run(&[&["adopt", "-i", "inventories/lab"], words].concat())
}

/// Whether what the server made of its files names the setting.
fn merged(fleet: &Fleet, host: &str, setting: &str) -> String {
    let file = "/var/lib/clickhouse/preprocessed_configs/config.xml";
    fleet.on(host, &format!("grep -c '<{setting}>' {file} || true"))
}

fn a_start_that_needs_the_file_gets_it_back(fleet: &Fleet) {
    let host = "shufflehog-1";
    let plan = fleet.plan(&["--limit", host]);
    plan.exits(2).says([&format!("- {START}\n"), "- max_thread_pool_size = 9100", "1 restart"]);
    let drop_in = "/etc/systemd/system/clickhouse-server.service.d/needs.conf";
    fleet.on(
        host,
        &format!(
            "mkdir -p $(dirname {drop_in}); printf '[Service]\\nExecStartPre=/usr/bin/test -f {START}\\n' > {drop_in}; \
             systemctl daemon-reload"
        ),
    );
    let before = fleet.on(host, &format!("sha256sum {START} {MANIFEST}; stat -c '%U %a' {START}"));
    let run = fleet.apply(&["--limit", host]);
    run.exits(4).explains(
        [
            "x shufflehog-1: failed in restart clickhouse-server",
            "back, clickhouse-server started anew, it serves as before",
        ],
        "",
    );
    assert_eq!(fleet.on(host, &format!("sha256sum {START} {MANIFEST}; stat -c '%U %a' {START}")), before);
    assert_eq!(setting(fleet, host, AT_START), "9100", "it runs again, with the file");
    fleet.nothing_is_half_written(host);
    fleet.on(host, &format!("rm {drop_in}; systemctl daemon-reload; systemctl reset-failed clickhouse-server; true"));
}

/// A user of somebody else has a profile that leaves: the host's own binary refuses that, and nothing is removed there.
fn what_somebody_still_needs_stays(fleet: &Fleet) {
    let (host, user) = ("data-2-2", "/etc/clickhouse-server/users.d/zzz_theirs.xml");
    let theirs = "<no_password/><networks><ip>::1</ip></networks><profile>gone</profile>";
    fleet.on(host, &format!("echo '<clickhouse><users><theirs>{theirs}</theirs></users></clickhouse>' > {user}; chown clickhouse: {user}"));
    let before = fleet.on(host, &format!("sha256sum {EXTRA} {PROFILE} {MANIFEST}"));
    let run = fleet.apply(&["--limit", host]);
    run.exits(3).says([
        "clickhouse refuses the configuration as it would be",
        "Profile gone was not found",
        "(nothing was changed)",
    ]);
    assert_eq!(fleet.on(host, &format!("sha256sum {EXTRA} {PROFILE} {MANIFEST}")), before);
    assert_eq!(setting(fleet, host, RELOADED), "77");
    fleet.nothing_is_half_written(host);
    fleet.on(host, &format!("rm {user}"));
}

fn what_left_is_removed(fleet: &Fleet) {
    let pids = DATA.map(|host| fleet.pid(host));
    let before = fleet.pid("shufflehog-1");
    fleet.plan(&[]).exits(2).says([&format!("- {EXTRA}\n"), &format!("- {RELOADED} = 77"), "1 restart, 4 reloads"]);
    fleet.apply(&[]).exits(0).says(["5 hosts done"]);
    for (host, pid) in DATA.iter().zip(pids) {
        assert_eq!(fleet.on(host, &format!("ls {EXTRA} 2>/dev/null || true")), "", "{host}");
        assert!(!fleet.on(host, &format!("cat {MANIFEST}")).contains(EXTRA), "{host}");
        assert_eq!(
            (setting(fleet, host, RELOADED).as_str(), merged(fleet, host, RELOADED).as_str()),
            ("0", "0"),
            "{host}"
        );
        assert_eq!(fleet.pid(host), pid, "{host} was not restarted");
        fleet.nothing_is_half_written(host);
    }
    assert_ne!(fleet.pid("shufflehog-1"), before, "only a start forgets it");
    assert_ne!(setting(fleet, "shufflehog-1", AT_START), "9100");
    fleet.plan(&[]).exits(0).says(["nothing to do"]);
}

fn what_is_of_others_is_told_and_left(fleet: &Fleet) {
    for host in ["data-1-1", "data-1-2"] {
        fleet.on(
            host,
            &format!("echo '<clickhouse><{RELOADED}>55</{RELOADED}></clickhouse>' > {MINE}; chown clickhouse: {MINE}"),
        );
        eventually("the server reads it", || setting(fleet, host, RELOADED), |value| value == "55");
    }
    let told = format!("? {MINE}  on data-1-1, data-1-2");
    fleet.plan(&[]).exits(0).says(["not ours", &told, "`housewright adopt FILE`", "nothing to do, 9 as desired"]);
    fleet.run(&["diff", "-i", "inventories/lab"]).exits(0).says([&told]);
    fleet.run(&["verify", "-i", "inventories/lab"]).exits(0).says([&format!("(not ours: {MINE})")]);
    fleet.plan(&["-o", "markdown"]).exits(0).says(["**Not ours**", &format!("* `{MINE}` on data-1-1, data-1-2")]);
    fleet.apply(&[]).exits(0);
    for host in ["data-1-1", "data-1-2"] {
        assert!(fleet.on(host, &format!("cat {MINE}")).contains("55"), "{host}");
    }
}

fn what_is_adopted_and_no_role_has_goes(fleet: &Fleet) {
    let listen = "/etc/clickhouse-server/config.d/listen.xml";
    adopt(fleet, &[listen, "--yes"]).exits(1).says(["is Housewright's own already"]);
    adopt(fleet, &["/etc/clickhouse-server/config.d/nobodys.xml", "--yes"]).exits(1).says(["no host has such a file"]);
    adopt(fleet, &["zz_mine.xml", "--yes"]).exits(1).says(["it must be absolute"]);
    adopt(fleet, &[MINE]).exits(1).says(["REMOVES it", "nobody is there to approve"]);
    fleet.plan(&[]).exits(0);

    let all = "find /etc /var/lib/housewright -type f ! -name manifest -exec sha256sum {} + | sort";
    let before = fleet.on("data-1-2", all);
    let run = adopt(fleet, &["--limit", "data-1-2", "/etc/*/config.d/zz_*", "--yes"]);
    run.exits(0).says([&format!("- {MINE}  on data-1-2"), "REMOVES it", "adopt: 1 file taken over on 1 host"]);
    assert_eq!(fleet.on("data-1-2", all), before, "only the manifest is another");
    assert_eq!(fleet.on("data-1-2", &format!("stat -c '%U %a' {MANIFEST}")), "root 600");

    let plan = fleet.plan(&[]);
    plan.exits(2).says(["1 host to change", &format!("- {MINE}\n"), &format!("? {MINE}  on data-1-1\n")]);
    plan.never_says(["-<clickhouse><max_concurrent_insert_queries>55"]);
    fleet.apply(&[]).exits(0);
    assert_eq!(fleet.on("data-1-2", &format!("ls {MINE} 2>/dev/null || true")), "");
    assert_eq!(setting(fleet, "data-1-2", RELOADED), "0");
    assert_eq!(setting(fleet, "data-1-1", RELOADED), "55", "nobody adopted it there");
    fleet.plan(&[]).exits(0);
}

fn what_is_adopted_and_a_role_has_is_overwritten(fleet: &Fleet, role: &str) {
    gains(fleet, role, MINE, &one(RELOADED, 66));
    let run = fleet.apply(&[]);
    run.exits(3).says([&format!("! data-1-1: change anything: `{MINE}` is there"), "3 hosts done", "1 held back"]);
    let command = format!("housewright adopt --limit data-1-1 {MINE}");
    run.says([&format!("`{command}`")]);
    assert_eq!(setting(fleet, "data-1-1", RELOADED), "55");
    adopt(fleet, &["--limit", "data-1-1", MINE, "--yes"]).exits(0).says(["writes the role's file in its place"]);
    let plan = fleet.plan(&["--diff", "each"]);
    plan.exits(2).says(["1 host to change", "-<clickhouse><max_concurrent_insert_queries>55", "1 reload"]);
    fleet.apply(&[]).exits(0);
    for host in DATA {
        assert_eq!(setting(fleet, host, RELOADED), "66", "{host}");
    }
}
