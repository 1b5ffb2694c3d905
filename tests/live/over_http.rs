//! A host that is asked over HTTP alone: the real program, and a real server behind TLS on the loopback.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use housewright::clickhouse::Endpoint;
use housewright::fleet::{Host, HostName, HttpConnection, Placement, Reach, RoleName, Tls, Vars};
use housewright::secret::Secret;
use housewright::transport::{Claim, ConnectError, HttpOptions, HttpTransport, Session, SessionError, Transport};

use crate::keys::server::Server;

const POD: &str = "chi-ingestion-events-0-0";
const PASSWORD: &str = "it's a \"secret\"!";

/// A server that speaks HTTPS on its first free port, in the name of a pod.
struct Pod {
    server: Server,
    files: tempfile::TempDir,
}

fn openssl(directory: &Path, words: &str) {
    let output = Command::new("openssl").args(words.split(' ')).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Pod {
    fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        let root = files.path();
        std::fs::write(root.join("names"), format!("subjectAltName=DNS:{POD}\nbasicConstraints=CA:FALSE\n")).unwrap();
        openssl(root, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority");
        openssl(root, "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other");
        openssl(root, "req -newkey rsa:2048 -nodes -keyout pod.key -out pod.csr -subj /CN=pod");
        openssl(
            root,
            "x509 -req -in pod.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out pod.pem",
        );
        let shown = root.display();
        let https = format!(
            "<https_port>{{p2}}</https_port><openSSL><server><certificateFile>{shown}/pod.pem</certificateFile>\
             <privateKeyFile>{shown}/pod.key</privateKeyFile><verificationMode>none</verificationMode></server></openSSL>\
             <macros><hostClusterRole>events</hostClusterRole></macros></clickhouse>"
        );
        let config = include_str!("statements/config.xml")
            .replace("<ws>", "<warpstream_ingestion>")
            .replace("</ws>", "</warpstream_ingestion>")
            .replace("<msk>", "<msk_ingestion>")
            .replace("</msk>", "</msk_ingestion>")
            .replace("</clickhouse>", &https);
        let server = Server::start_with(&config);
        server.sql(&format!("CREATE USER housewright IDENTIFIED BY '{}'", PASSWORD.replace('\'', "\\'"))).unwrap();
        server.sql("GRANT CURRENT GRANTS ON *.* TO housewright").unwrap();
        Self { server, files }
    }

    fn inventory(&self, ca: &str) {
        let root = self.files.path();
        let port = self.server.free_port(2);
        let hosts = format!(
            "all:\n  children:\n    data:\n      vars: {{ hostClusterRole: data }}\n      hosts:\n        data-1: {{ shard: 1, replica: a }}\n    \
             pods:\n      vars:\n        hostClusterRole: events\n        housewright_reach: http\n        \
             housewright_http: {{ host: 127.0.0.1, server_name: {POD}, port: {port}, ca: {}, user: housewright, password: env:POD_PASSWORD }}\n      \
             hosts:\n        {POD}:\n",
            root.join(ca).display()
        );
        std::fs::create_dir_all(root.join("inventory/group_vars")).unwrap();
        std::fs::write(root.join("inventory/hosts.yml"), hosts).unwrap();
        let all = "clickhouse_clusters:\n  posthog: { hosts: data, layout: sharded }\n\
                   clickhouse_named_collections:\n  msk_ingestion: { kafka_broker_list: \"127.0.0.1:1\" }\n  \
                   warpstream_ingestion: { kafka_broker_list: \"127.0.0.1:1\" }\n";
        std::fs::write(root.join("inventory/group_vars/all.yml"), all).unwrap();
    }

    fn housewright(&self, words: &str) -> (Output, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_housewright"))
            .arg("-i")
            .arg(self.files.path().join("inventory"))
            .args(["--project", env!("CARGO_MANIFEST_DIR"), "--limit", "pods"])
            .args(words.split(' '))
            .env("POD_PASSWORD", PASSWORD)
            .env("XDG_STATE_HOME", self.files.path().join("state"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(PASSWORD), "{words}: {said}");
        (output, said)
    }

    fn host(&self, ca: &str, server_name: &str) -> Host {
        let tls = Some(Tls { ca: Some(self.files.path().join(ca)), server_name: server_name.to_owned() });
        Host {
            name: HostName::new(POD).unwrap(),
            role: RoleName::new("ingestion-events").unwrap(),
            placement: Placement::Stateless,
            fqdn: POD.to_owned(),
            zone: None,
            reach: Reach::Http(HttpConnection {
                address: "127.0.0.1".to_owned(),
                port: self.server.free_port(2),
                tls,
                user: None,
                password: None,
                connect_timeout: Duration::from_secs(5),
            }),
            vars: Vars::default(),
        }
    }

    fn transport(&self, holder: &str) -> HttpTransport {
        let password = Some(Secret::new(PASSWORD.to_owned()));
        let endpoint = Endpoint { http_port: 0, user: "housewright".to_owned(), password };
        let endpoints = [(HostName::new(POD).unwrap(), endpoint)].into();
        HttpTransport::new(HttpOptions { endpoints, holder: holder.to_owned() })
    }

    async fn session(&self, holder: &str) -> std::sync::Arc<dyn Session> {
        self.transport(holder).connect(&self.host("ca.pem", POD)).await.unwrap()
    }
}

#[test]
fn it_gets_its_roles_schema_and_nothing_else() {
    let pod = Pod::start();
    pod.inventory("ca.pem");
    let (output, said) = pod.housewright("apply --yes");
    assert!(output.status.success() && said.contains("recap: 1 host done"), "{said}");
    assert!(pod.server.sql("SHOW TABLES FROM default").unwrap().contains("events_mv"));
    let (output, said) = pod.housewright("plan");
    assert!(output.status.success() && said.contains("plan: nothing to do, 1 as desired"), "{said}");
    let (output, said) = pod.housewright("verify");
    assert!(output.status.success() && said.contains("objects 3") && !said.contains("files"), "{said}");
    let (output, said) = pod.housewright("restart --yes");
    assert!(!output.status.success() && said.contains("its operator restarts it"), "{said}");
    pod.server.put("<macros><hostClusterRole replace=\"replace\">medium</hostClusterRole></macros>").unwrap();
    let (_, said) = pod.housewright("plan");
    assert!(said.contains("macro `hostClusterRole` is medium, not events"), "{said}");
    pod.inventory("other.pem");
    let (output, said) = pod.housewright("plan");
    assert!(!output.status.success() && said.contains("does not prove that it is the host"), "{said}");
}

#[tokio::test]
async fn who_does_not_prove_that_it_is_the_host_is_told_nothing() {
    let pod = Pod::start();
    let transport = pod.transport("me");
    for host in [pod.host("other.pem", POD), pod.host("ca.pem", "another.name")] {
        let Err(error) = transport.connect(&host).await else { panic!("connected") };
        assert!(matches!(error, ConnectError::Tls { .. }) && !error.may_pass(), "{error}");
    }
    let Err(error) = transport.connect(&pod.host("missing.pem", POD)).await else { panic!("connected") };
    assert!(matches!(error, ConnectError::Authorities { .. }), "{error}");
    assert!(transport.connect(&pod.host("ca.pem", POD)).await.is_ok());
}

#[tokio::test]
async fn one_run_at_a_time_has_the_lock_and_its_end_releases_it() {
    let pod = Pod::start();
    let (one, other) = (pod.session("one").await, pod.session("other").await);
    let lock = one.lock().await.unwrap();
    let refused = other.lock().await;
    assert!(
        matches!(&refused, Err(SessionError::Locked { holder }) if holder.starts_with("one, for ")),
        "{:?}",
        refused.err()
    );
    drop(lock);
    let mut locked = other.lock().await;
    for _ in 0..20 {
        if locked.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        locked = other.lock().await;
    }
    let lock = locked.unwrap();
    assert!(matches!(one.claim(Claim::Again).await, Err(SessionError::Locked { .. })));
    let taken = one.claim(Claim::Anyone).await.unwrap();
    // Whoever has lost it knows: the connection counts as ended, and a run claims it again.
    for _ in 0..20 {
        if !other.is_open() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!other.is_open() && one.is_open());
    drop((lock, taken));
}
