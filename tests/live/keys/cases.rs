//! What is changed and where it is read back, and what cannot be.

use housewright::clickhouse::config::ConfigDirectory;

/// Where a change can be seen.
pub enum Read {
    /// In the answer to the last of these statements.
    Sql(&'static [&'static str]),
    /// By which of these free ports are open.
    Ports(&'static [usize]),
    /// In what a free port answers, or the server's own at 0.
    Http(usize, &'static str),
}

/// One change of one key.
pub struct Case {
    /// The key as the table has it.
    pub key: &'static str,
    pub name: &'static str,
    pub directory: ConfigDirectory,
    pub before: &'static str,
    pub after: &'static str,
    /// What is left there; nothing if not said.
    pub back: Option<&'static str>,
    /// The server takes it, and only tables keep what was before.
    pub tables_only: bool,
    pub read: Read,
}

impl Case {
    const fn new(key: &'static str, name: &'static str, before: &'static str, after: &'static str, read: Read) -> Self {
        let directory = ConfigDirectory::Config;
        Self { key, name, directory, before, after, back: None, tables_only: false, read }
    }

    const fn of_users(mut self) -> Self {
        self.directory = ConfigDirectory::Users;
        self
    }

    const fn tables_only(mut self) -> Self {
        self.tables_only = true;
        self
    }

    const fn back(mut self, back: &'static str) -> Self {
        self.back = Some(back);
        self
    }
}

pub const CASES: &[Case] = &[
    // Clusters and macros.
    Case::new(
        "macros",
        "a macro",
        "<macros><a>1</a></macros>",
        "<macros><a>2</a></macros>",
        Read::Sql(&["SELECT substitution FROM system.macros"]),
    ),
    Case::new(
        "macros/generation",
        "what the server has read",
        "<macros><generation>g1</generation></macros>",
        "<macros><generation>g2</generation></macros>",
        Read::Sql(&["SELECT substitution FROM system.macros WHERE macro = 'generation'"]),
    ),
    Case::new(
        "remote_servers",
        "a cluster",
        "<remote_servers><x><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></x></remote_servers>",
        "<remote_servers><y><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></y></remote_servers>",
        Read::Sql(&["SELECT groupArray(cluster) FROM system.clusters"]),
    ),
    Case::new(
        "keeper_map_path_prefix",
        "KeeperMap",
        "",
        "<keeper_map_path_prefix>/k</keeper_map_path_prefix>",
        Read::Sql(&["CREATE TABLE km (a UInt64) ENGINE = KeeperMap('/x') PRIMARY KEY a"]),
    ),
    // Listeners.
    Case::new(
        "tcp_port",
        "tcp_port moves",
        "<tcp_port>{p1}</tcp_port>",
        "<tcp_port>{p2}</tcp_port>",
        Read::Ports(&[1, 2]),
    ),
    Case::new(
        "tcp_with_proxy_port",
        "tcp_with_proxy_port moves",
        "<tcp_with_proxy_port>{p1}</tcp_with_proxy_port>",
        "<tcp_with_proxy_port>{p2}</tcp_with_proxy_port>",
        Read::Ports(&[1, 2]),
    ),
    Case::new(
        "mysql_port",
        "mysql_port moves",
        "<mysql_port>{p1}</mysql_port>",
        "<mysql_port>{p2}</mysql_port>",
        Read::Ports(&[1, 2]),
    ),
    Case::new(
        "postgresql_port",
        "postgresql_port moves",
        "<postgresql_port>{p1}</postgresql_port>",
        "<postgresql_port>{p2}</postgresql_port>",
        Read::Ports(&[1, 2]),
    ),
    Case::new(
        "protocols/*/port",
        "the port of a protocol",
        "<protocols><h><type>http</type><host>127.0.0.1</host><port>{p1}</port></h></protocols>",
        "<protocols><h><type>http</type><host>127.0.0.1</host><port>{p2}</port></h></protocols>",
        Read::Ports(&[1, 2]),
    ),
    Case::new(
        "protocols/*/host",
        "the host of a protocol",
        "<protocols><h><type>http</type><host>127.0.0.2</host><port>{p1}</port></h></protocols>",
        "<protocols><h><type>http</type><host>127.0.0.1</host><port>{p1}</port></h></protocols>",
        Read::Ports(&[1]),
    ),
    Case::new(
        "protocols/*",
        "a new protocol",
        "",
        "<protocols><h><type>http</type><host>127.0.0.1</host><port>{p1}</port></h></protocols>",
        Read::Http(1, "/ping"),
    ),
    Case::new(
        "protocols",
        "the type of a protocol",
        "<protocols><h><type>http</type><host>127.0.0.1</host><port>{p1}</port></h></protocols>",
        "<protocols><h><type>tcp</type><host>127.0.0.1</host><port>{p1}</port></h></protocols>",
        Read::Http(1, "/ping"),
    ),
    Case::new(
        "prometheus",
        "a new endpoint of Prometheus",
        "",
        "<prometheus><port>{p1}</port><endpoint>/m</endpoint></prometheus>",
        Read::Ports(&[1]),
    ),
    Case::new(
        "prometheus/port",
        "the port of Prometheus",
        "<prometheus><port>{p1}</port><endpoint>/m</endpoint></prometheus>",
        "<prometheus><port>{p2}</port><endpoint>/m</endpoint></prometheus>",
        Read::Ports(&[1, 2]),
    ),
    Case::new(
        "prometheus",
        "the path of Prometheus",
        "<prometheus><port>{p1}</port><endpoint>/m</endpoint></prometheus>",
        "<prometheus><port>{p1}</port><endpoint>/n</endpoint></prometheus>",
        Read::Http(1, "/n"),
    ),
    Case::new(
        "listen_host",
        "a second address",
        "<tcp_port>{p1}</tcp_port><listen_host>127.0.0.1</listen_host><listen_host>127.0.0.3</listen_host>",
        "<tcp_port>{p1}</tcp_port><listen_host>127.0.0.1</listen_host><listen_host>127.0.0.2</listen_host>",
        Read::Sql(&["SELECT count() FROM remote('127.0.0.2:{p1}', system.one)"]),
    ),
    Case::new(
        "http_handlers",
        "a handler",
        "",
        "<http_handlers><rule><url>/mine</url><handler><type>static</type><response_content>mine</response_content></handler></rule><defaults/></http_handlers>",
        Read::Http(0, "/mine"),
    ),
    Case::new("grpc_port", "gRPC", "", "<grpc_port>{p1}</grpc_port>", Read::Ports(&[1])),
    Case::new(
        "max_session_timeout",
        "sessions",
        "<max_session_timeout>10</max_session_timeout>",
        "<max_session_timeout>10000000</max_session_timeout>",
        Read::Http(0, "/?session_id=s&session_timeout=99999&query=SELECT+1"),
    ),
    Case::new(
        "http_server_default_response",
        "the answer at /",
        "<http_server_default_response>a</http_server_default_response>",
        "<http_server_default_response>b</http_server_default_response>",
        Read::Http(0, "/"),
    ),
    Case::new(
        "remote_url_allow_hosts",
        "hosts of URLs",
        "<remote_url_allow_hosts><host>a</host></remote_url_allow_hosts>",
        "<remote_url_allow_hosts><host>127.0.0.1</host></remote_url_allow_hosts>",
        Read::Sql(&["SELECT * FROM url('http://127.0.0.1:{port}/ping', LineAsString)"]),
    ),
    Case::new(
        "http_forbid_headers",
        "headers",
        "",
        "<http_forbid_headers><header>x</header></http_forbid_headers>",
        Read::Sql(&["SELECT * FROM url('http://127.0.0.1:{port}/ping', LineAsString, headers('x' = '1'))"]),
    ),
    // Queues, collections, dictionaries, functions.
    Case::new(
        "named_collections/*",
        "a new collection",
        "",
        "<named_collections><n><url>http://127.0.0.1:{port}/ping</url><format>LineAsString</format></n></named_collections>",
        Read::Sql(&["SELECT * FROM url(n)"]),
    ),
    Case::new(
        "named_collections",
        "a changed collection",
        "<named_collections><n><url>http://127.0.0.1:{port}/ping</url><format>LineAsString</format></n></named_collections>",
        "<named_collections><n><url>http://127.0.0.1:{port}/?query=SELECT+2</url><format>LineAsString</format></n></named_collections>",
        Read::Sql(&["SELECT * FROM url(n)"]),
    ).tables_only(),
    Case::new(
        "named_collections",
        "a removed collection",
        "<named_collections><n><url>http://127.0.0.1:{port}/ping</url><format>LineAsString</format></n></named_collections>",
        "",
        Read::Sql(&["SELECT * FROM url(n)"]),
    ).tables_only(),
    Case::new(
        "dictionaries_config",
        "dictionaries",
        "",
        "<dictionaries_config>{root}/dictionary.xml</dictionaries_config>",
        Read::Sql(&["SELECT groupArray(name) FROM system.dictionaries"]),
    ),
    Case::new(
        "user_defined_executable_functions_config",
        "functions",
        "",
        "<user_defined_executable_functions_config>{root}/function.xml</user_defined_executable_functions_config>",
        Read::Sql(&["SELECT groupArray(name) FROM system.functions WHERE origin = 'ExecutableUserDefined'"]),
    ),
    // Security.
    Case::new(
        "query_masking_rules",
        "masks",
        "",
        "<query_masking_rules><rule><regexp>conceal</regexp></rule></query_masking_rules>",
        Read::Sql(&["SELECT query FROM system.processes WHERE query LIKE '%conceal%'"]),
    ),
    Case::new(
        "user_directories",
        "a directory of users",
        "",
        "<user_directories><memory/></user_directories>",
        Read::Sql(&["SELECT groupArray(name) FROM system.user_directories"]),
    ),
    Case::new(
        "access_control_path",
        "a path of users",
        "",
        "<access_control_path>{root}/more/</access_control_path>",
        Read::Sql(&["SELECT groupArray(name) FROM system.user_directories"]),
    ),
    Case::new(
        "custom_settings_prefixes",
        "prefixes",
        "",
        "<custom_settings_prefixes>mine_</custom_settings_prefixes>",
        Read::Sql(&["SELECT 1 SETTINGS mine_a = 1"]),
    ),
    Case::new(
        "allow_no_password",
        "users without a password",
        "<allow_no_password>1</allow_no_password>",
        "<allow_no_password>0</allow_no_password>",
        Read::Sql(&["CREATE USER OR REPLACE u IDENTIFIED WITH no_password"]),
    ),
    Case::new(
        "allow_plaintext_password",
        "plain passwords",
        "<allow_plaintext_password>1</allow_plaintext_password>",
        "<allow_plaintext_password>0</allow_plaintext_password>",
        Read::Sql(&["CREATE USER OR REPLACE u IDENTIFIED WITH plaintext_password BY 'x'"]),
    ),
    Case::new(
        "allow_implicit_no_password",
        "users without a word",
        "<allow_implicit_no_password>1</allow_implicit_no_password>",
        "<allow_implicit_no_password>0</allow_implicit_no_password>",
        Read::Sql(&["CREATE USER OR REPLACE u"]),
    ),
    Case::new(
        "password_complexity",
        "complexity",
        "",
        "<password_complexity><rule><pattern>.{99}</pattern><message>long</message></rule></password_complexity>",
        Read::Sql(&["CREATE USER OR REPLACE u IDENTIFIED WITH plaintext_password BY 'x'"]),
    ),
    Case::new(
        "default_password_type",
        "the usual type",
        "<default_password_type>sha256_password</default_password_type>",
        "<default_password_type>double_sha1_password</default_password_type>",
        Read::Sql(&["CREATE USER OR REPLACE u IDENTIFIED BY 'x'", "SHOW CREATE USER u"]),
    ),
    // Logs.
    Case::new(
        "logger/level",
        "the level",
        "<logger><level>information</level></logger>",
        "<logger><level>trace</level></logger>",
        Read::Sql(&["SELECT 1", "SELECT sleep(0.3)", "SELECT countIf(line LIKE '%<Trace>%') > 0 FROM file('log', LineAsString)"]),
    ),
    Case::new(
        "query_log",
        "a log table",
        "",
        "<query_log><database>system</database><table>query_log</table></query_log>",
        Read::Sql(&["SYSTEM FLUSH LOGS", "EXISTS system.query_log"]),
    ),
    Case::new(
        "asynchronous_metric_log",
        "another",
        "",
        "<asynchronous_metric_log><database>system</database><table>asynchronous_metric_log</table></asynchronous_metric_log>",
        Read::Sql(&["SYSTEM FLUSH LOGS", "EXISTS system.asynchronous_metric_log"]),
    ),
    Case::new(
        "dashboards",
        "dashboards",
        "",
        "<dashboards><dashboard><dashboard>d</dashboard><title>t</title><query>SELECT 1</query></dashboard></dashboards>",
        Read::Sql(&["SELECT count() FROM system.dashboards"]),
    ),
    // Limits and the process.
    Case::new(
        "query_cache",
        "the cache of results",
        "<query_cache><max_size_in_bytes>1</max_size_in_bytes></query_cache>",
        "<query_cache><max_size_in_bytes>1000000</max_size_in_bytes></query_cache>",
        Read::Sql(&["SYSTEM DROP QUERY CACHE", "SELECT number FROM numbers(10) SETTINGS use_query_cache = 1", "SELECT count() FROM system.query_cache"]),
    ),
    Case::new(
        "resources",
        "resources",
        "",
        "<resources><r><node path='/'><type>fifo</type></node></r></resources>",
        Read::Sql(&["SELECT count() FROM system.scheduler"]),
    ),
    Case::new(
        "timezone",
        "the time zone",
        "<timezone>UTC</timezone>",
        "<timezone>Asia/Tokyo</timezone>",
        Read::Sql(&["SELECT serverTimezone()"]),
    ),
    Case::new(
        "display_name",
        "the name",
        "<display_name>a</display_name>",
        "<display_name>b</display_name>",
        Read::Sql(&["SELECT displayName()"]),
    ),
    // Storage; a policy that is there stays, so that each file holds the ones before it.
    Case::new(
        "merge_tree",
        "MergeTree",
        "<merge_tree><max_suspicious_broken_parts>5</max_suspicious_broken_parts></merge_tree>",
        "<merge_tree><max_suspicious_broken_parts>6</max_suspicious_broken_parts></merge_tree>",
        Read::Sql(&["SELECT value FROM system.merge_tree_settings WHERE name = 'max_suspicious_broken_parts'"]),
    ),
    Case::new(
        "replicated_merge_tree",
        "replicated MergeTree",
        "<replicated_merge_tree><max_suspicious_broken_parts>5</max_suspicious_broken_parts></replicated_merge_tree>",
        "<replicated_merge_tree><max_suspicious_broken_parts>6</max_suspicious_broken_parts></replicated_merge_tree>",
        Read::Sql(&["SELECT value FROM system.replicated_merge_tree_settings WHERE name = 'max_suspicious_broken_parts'"]),
    ),
    Case::new(
        "graphite_rollup_example",
        "a rollup",
        "",
        "<graphite_rollup_example><default><function>max</function><retention><age>0</age><precision>60</precision></retention></default></graphite_rollup_example>",
        Read::Sql(&["DROP TABLE IF EXISTS g SYNC", "CREATE TABLE g (Path String, Time DateTime, Value Float64, Timestamp Int64) ENGINE = GraphiteMergeTree('graphite_rollup_example') ORDER BY Path"]),
    ),
    Case::new(
        "compression",
        "compression",
        "",
        "<compression><case><min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio><method>zstd</method></case></compression>",
        Read::Sql(&["DROP TABLE IF EXISTS z SYNC", "CREATE TABLE z (a UInt64) ENGINE = MergeTree ORDER BY a", "INSERT INTO z SELECT number FROM numbers(1000)", "SELECT default_compression_codec FROM system.parts WHERE table = 'z' AND active"]),
    ),
    Case::new(
        "backups",
        "backups",
        "",
        "<backups><allowed_path>{root}/backups/</allowed_path></backups>",
        Read::Sql(&["BACKUP TABLE system.one TO File('{root}/backups/x')"]),
    ),
    Case::new(
        "user_files_path",
        "user files",
        "",
        "<user_files_path>{root}/</user_files_path>",
        Read::Sql(&["SELECT count() > 0 FROM file('{root}/dictionary.xml', LineAsString)"]),
    ),
    Case::new(
        "filesystem_caches",
        "a cache of files",
        "",
        "<filesystem_caches><fresh><path>{root}/cache2</path><max_size>1000000</max_size></fresh></filesystem_caches>",
        Read::Sql(&["SELECT groupArray(cache_name) FROM system.filesystem_cache_settings"]),
    ),
    Case::new(
        "storage_configuration/disks/*",
        "a new disk",
        "",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a></disks></storage_configuration>",
        Read::Sql(&["SELECT groupArray((name, keep_free_space)) FROM system.disks"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a></disks></storage_configuration>"),
    Case::new(
        "storage_configuration/disks/*/keep_free_space_bytes",
        "free space",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a></disks></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path><keep_free_space_bytes>1000</keep_free_space_bytes></a></disks></storage_configuration>",
        Read::Sql(&["SELECT groupArray((name, keep_free_space)) FROM system.disks"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path><keep_free_space_bytes>1000</keep_free_space_bytes></a></disks></storage_configuration>"),
    Case::new(
        "storage_configuration",
        "the path of a disk",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a></disks></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/b/</path></a></disks></storage_configuration>",
        Read::Sql(&["SELECT path FROM system.disks WHERE name = 'a'"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a></disks></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*",
        "a new policy",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk></v></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk></v></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/volumes/*/disk",
        "a new disk of a volume",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk></v></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/volumes/*",
        "a new volume",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/move_factor",
        "when parts move",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes><move_factor>0.3</move_factor></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes><move_factor>0.5</move_factor></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/volumes/*/max_data_part_size_bytes",
        "max_data_part_size_bytes of a volume",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><max_data_part_size_bytes>1000</max_data_part_size_bytes></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><max_data_part_size_bytes>2000</max_data_part_size_bytes></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/volumes/*/perform_ttl_move_on_insert",
        "perform_ttl_move_on_insert of a volume",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><perform_ttl_move_on_insert>1</perform_ttl_move_on_insert></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><perform_ttl_move_on_insert>0</perform_ttl_move_on_insert></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/volumes/*/prefer_not_to_merge",
        "prefer_not_to_merge of a volume",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><prefer_not_to_merge>0</prefer_not_to_merge></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><prefer_not_to_merge>1</prefer_not_to_merge></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration/policies/*/volumes/*/load_balancing",
        "load_balancing of a volume",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><load_balancing>round_robin</load_balancing></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk><load_balancing>least_used</load_balancing></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration",
        "a policy loses a disk",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    Case::new(
        "storage_configuration",
        "a policy goes",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>",
        "<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks></storage_configuration>",
        Read::Sql(&["SELECT groupArray((policy_name, volume_name, disks, move_factor, max_data_part_size, prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing)) FROM system.storage_policies"]),
    )
    .back("<storage_configuration><disks><a><path>{root}/disks/a/</path></a><b><path>{root}/disks/b/</path></b></disks><policies><p><volumes><v><disk>a</disk><disk>b</disk></v><w><disk>default</disk></w></volumes></p></policies></storage_configuration>"),
    // Users.
    Case::new(
        "users",
        "a user",
        "",
        "<users><u2><password/></u2></users>",
        Read::Sql(&["SELECT count() FROM system.users"]),
    ).of_users(),
    Case::new(
        "quotas",
        "a quota",
        "",
        "<quotas><q2><interval><duration>60</duration><queries>5</queries></interval></q2></quotas>",
        Read::Sql(&["SELECT count() FROM system.quotas"]),
    ).of_users(),
    Case::new(
        "roles",
        "a role",
        "",
        "<roles><r2><grants><query>GRANT SELECT ON system.*</query></grants></r2></roles>",
        Read::Sql(&["SELECT groupArray(name) FROM system.roles"]),
    ).of_users(),
    Case::new(
        "profiles",
        "a setting of new sessions",
        "",
        "<profiles><default><max_threads>3</max_threads></default></profiles>",
        Read::Sql(&["SELECT getSetting('max_threads')"]),
    ).of_users(),
];

/// Keys of the table that one server alone does not show, each with the reason.
pub const UNREADABLE: &[(&[&str], &str)] = &[
    (
        &[
            "zookeeper",
            "auxiliary_zookeepers",
            "keeper_server",
            "distributed_ddl",
            "replica_group_name",
            "user_defined_zookeeper_path",
            "workload_zookeeper_path",
            "keeper_map_strict_mode",
            "allow_experimental_transactions",
            "transaction_log",
        ],
        "it needs an ensemble; the live fleet has one",
    ),
    (&["http_port"], "the test itself speaks through it; `protocols` are the same listeners"),
    (
        &[
            "https_port",
            "tcp_port_secure",
            "openSSL",
            "openSSL/server/certificateFile",
            "openSSL/server/privateKeyFile",
        ],
        "it needs a certificate",
    ),
    (&["grpc", "tcp_ssh_port", "ssh_server", "encryption_codecs", "ldap_servers", "kerberos"], "this build has none"),
    (
        &[
            "interserver_http_port",
            "interserver_https_port",
            "interserver_http_host",
            "interserver_https_host",
            "interserver_http_credentials",
            "interserver_listen_host",
        ],
        "the listener moves, what other replicas are told does not: only they see it",
    ),
    (
        &[
            "http_authentication_servers",
            "s3",
            "jdbc_bridge",
            "odbc_bridge",
            "send_crash_reports",
            "graphite",
            "url_scheme_mappers",
        ],
        "it needs a service beside the server",
    ),
    (&["kafka", "rabbitmq", "nats"], "it needs a broker"),
    (
        &[
            "listen_try",
            "listen_reuse_port",
            "listen_backlog",
            "proto_caps",
            "http_options_response",
            "enable_verbose_replicas_status",
            "enable_http_stacktrace",
            "default_session_timeout",
        ],
        "what listeners keep is shown nowhere",
    ),
    (
        &[
            "include_from",
            "umask",
            "max_open_files",
            "mlock_executable",
            "remap_executable",
            "oom_score",
            "core_dump",
            "startup_scripts",
            "skip_check_for_incorrect_settings",
        ],
        "only a start does it",
    ),
    (
        &[
            "path",
            "tmp_path",
            "user_scripts_path",
            "format_schema_path",
            "google_protos_path",
            "dictionaries_lib_path",
            "top_level_domains_path",
            "top_level_domains_lists",
            "path_to_regions_hierarchy_file",
            "path_to_regions_names_files",
            "user_defined_path",
            "workload_path",
            "filesystem_caches_path",
            "custom_cached_disks_base_directory",
        ],
        "the place that is in use is shown nowhere",
    ),
    (&["default_profile", "system_profile", "buffer_profile"], "only background work shows it"),
    (
        &[
            "users_config",
            "access_control_improvements",
            "bcrypt_workfactor",
            "named_collections_storage",
            "builtin_dictionaries_reload_interval",
            "distributed",
            "rocksdb",
        ],
        "what is in use is shown nowhere",
    ),
    (&["logger", "logger/levels"], "the log itself says nothing of where it would be"),
    (
        &[
            "aggregated_zookeeper_log",
            "asynchronous_insert_log",
            "azure_queue_log",
            "background_schedule_pool_log",
            "backup_log",
            "blob_storage_log",
            "crash_log",
            "dead_letter_queue",
            "delta_lake_metadata_log",
            "error_log",
            "filesystem_cache_log",
            "filesystem_read_prefetches_log",
            "iceberg_metadata_log",
            "latency_log",
            "metric_log",
            "opentelemetry_span_log",
            "part_log",
            "processors_profile_log",
            "query_metric_log",
            "query_thread_log",
            "query_views_log",
            "s3queue_log",
            "session_log",
            "text_log",
            "trace_log",
            "transactions_info_log",
            "zookeeper_connection_log",
            "zookeeper_log",
        ],
        "it is made as `query_log` and `asynchronous_metric_log` are, or unknown to this version",
    ),
];
