//! What must not be trusted comes first.

use std::sync::Arc;

use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::rand_core::{TryCryptoRng, TryRng};
use russh::keys::{Algorithm, Certificate, EcdsaCurve, PrivateKey, PublicKey};

use super::*;

struct Random;

impl TryRng for Random {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(getrandom::u32().unwrap())
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(getrandom::u64().unwrap())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(bytes).unwrap();
        Ok(())
    }
}

impl TryCryptoRng for Random {}

const NOW: u64 = 1_800_000_000;
const HASHED: &str = "|1|nnaFos75Wqah94PSxVR3OsnMvIQ=|G3+22cd/ByXDVVNAAhX8pVMe548= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtSsSCjCCSqCNG8IfsZVpOxx6GuFH9ND31L2ZQyCn02";
const ECDSA: Algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };

fn new(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut Random, algorithm).unwrap()
}

fn text(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap()
}

fn verdict(text: &str, host: &str, port: u16, key: &PublicKey, certificate: Option<&Certificate>) -> Verdict {
    let files = [Arc::new(KnownHostsFile::parse("known_hosts", text))];
    let key_type = key.algorithm().to_string();
    let offered = Offered { key: &key.to_bytes().unwrap(), key_type: &key_type, certificate, now: NOW };
    decide(&files, host, port, &offered)
}

fn judged(text: &str, host: &str, port: u16, key: &PrivateKey) -> Verdict {
    verdict(text, host, port, key.public_key(), None)
}

fn at(line: usize) -> Place {
    Place { file: "known_hosts".into(), line }
}

fn begun(key: &PrivateKey, kind: CertType, principals: &[&str]) -> Builder {
    let mut builder = Builder::new_with_random_nonce(&mut Random, key.public_key(), NOW - 100, NOW + 100).unwrap();
    builder.cert_type(kind).unwrap().key_id("id").unwrap();
    for principal in principals {
        builder.valid_principal(*principal).unwrap();
    }
    if principals.is_empty() {
        builder.all_principals_valid().unwrap();
    }
    builder
}

fn certified(authority: &PrivateKey, key: &PrivateKey, principals: &[&str]) -> Certificate {
    begun(key, CertType::Host, principals).sign(authority).unwrap()
}

#[test]
fn a_changed_key_is_told_with_its_line() {
    let (old, new_key) = (new(Algorithm::Ed25519), new(Algorithm::Ed25519));
    let file = format!("# comment\n\nh {}\n", text(&old));
    assert_eq!(judged(&file, "h", 22, &new_key), Verdict::Changed(at(3)));
    assert_eq!(judged(&file, "H", 22, &old), Verdict::Trusted);
}

#[test]
fn a_revoked_key_is_never_trusted() {
    let key = new(Algorithm::Ed25519);
    for hosts in ["h", "*", "h,other"] {
        let file = format!("h {0}\n@revoked\t{hosts}  {0} stolen in March\n", text(&key));
        assert_eq!(judged(&file, "h", 22, &key), Verdict::Revoked(at(2)));
    }
    let elsewhere = format!("h {0}\n@revoked other {0}\n", text(&key));
    assert_eq!(judged(&elsewhere, "h", 22, &key), Verdict::Trusted);
    // Also on another port, where only the line without a port vouches for the key.
    let file = format!("h {0}\n@revoked h {0}\n", text(&key));
    assert_eq!(judged(&file, "h", 2222, &key), Verdict::Revoked(at(2)));
}

#[test]
fn an_unknown_host_is_unknown() {
    let (key, other) = (new(Algorithm::Ed25519), new(Algorithm::Ed25519));
    let file = format!("other {}\nbroken ssh-ed25519 AAAA\nh ssh-ed25519\n|1|x h\n", text(&other));
    assert_eq!(judged(&file, "h", 22, &key), Verdict::Unknown(None));
    assert_eq!(judged("", "h", 22, &key), Verdict::Unknown(None));
}

#[test]
fn a_negated_pattern_takes_the_line_away() {
    let key = new(Algorithm::Ed25519);
    for hosts in ["*.example.com,!bad.example.com", "!bad.example.com,*.example.com", "bad.example.com,!bad*"] {
        let file = format!("{hosts} {}", text(&key));
        assert_eq!(judged(&file, "bad.example.com", 22, &key), Verdict::Unknown(None), "{hosts}");
    }
    let file = format!("*.example.com,!bad.example.com {}", text(&key));
    assert_eq!(judged(&file, "good.example.com", 22, &key), Verdict::Trusted);
    assert_eq!(judged(&format!("!other {}", text(&key)), "h", 22, &key), Verdict::Unknown(None));
}

#[test]
fn a_certificate_of_another_authority_is_unknown_and_of_this_one_must_hold() {
    let (authority, stranger, key) = (new(Algorithm::Ed25519), new(Algorithm::Ed25519), new(ECDSA));
    let file = format!("@cert-authority *.example.com {}\n", text(&authority));
    let host = "a.example.com";
    let shown = |certificate: &Certificate| verdict(&file, host, 22, key.public_key(), Some(certificate));

    assert_eq!(shown(&certified(&stranger, &key, &[host])), Verdict::Unknown(Some(at(1))));
    for principals in [&["b.example.com"][..], &[]] {
        let certificate = certified(&authority, &key, principals);
        assert_eq!(shown(&certificate), Verdict::BadCertificate(at(1), "it is for other hosts"));
    }
    let user = begun(&key, CertType::User, &[host]).sign(&authority).unwrap();
    assert_eq!(shown(&user), Verdict::BadCertificate(at(1), "it is a user's"));
    let mut option = begun(&key, CertType::Host, &[host]);
    option.critical_option("force-command", "x").unwrap();
    let option = option.sign(&authority).unwrap();
    assert!(matches!(shown(&option), Verdict::BadCertificate(..)));
    for (from, to) in [(NOW - 200, NOW), (NOW + 1, NOW + 200)] {
        let mut builder = Builder::new_with_random_nonce(&mut Random, key.public_key(), from, to).unwrap();
        builder.cert_type(CertType::Host).unwrap().key_id("id").unwrap().valid_principal(host).unwrap();
        let certificate = builder.sign(&authority).unwrap();
        assert_eq!(shown(&certificate), Verdict::BadCertificate(at(1), "it is not valid at this time"));
    }
    let good = certified(&authority, &key, &["b", "*.example.com"]);
    assert_eq!(shown(&good), Verdict::Trusted);
    assert_eq!(verdict(&file, "a.example.org", 22, key.public_key(), Some(&good)), Verdict::Unknown(None));
    // The authority's line does not vouch for the authority's key as a host key, nor for a key without a certificate.
    assert_eq!(judged(&file, host, 22, &authority), Verdict::Unknown(Some(at(1))));
    assert_eq!(judged(&file, host, 22, &key), Verdict::Unknown(Some(at(1))));
    let revoked = format!("{file}@revoked * {}\n", text(&authority));
    assert_eq!(verdict(&revoked, host, 22, key.public_key(), Some(&good)), Verdict::Revoked(at(2)));
    let plain = format!("{host} {}\n", text(&key));
    assert_eq!(verdict(&plain, host, 22, key.public_key(), Some(&good)), Verdict::Trusted);
}

#[test]
fn a_later_line_with_the_key_counts_and_comments_do_not() {
    let (old, key) = (new(Algorithm::Ed25519), new(Algorithm::Ed25519));
    let bare = public(&key);
    let file = format!("h {}\n  h,[h]:2222 \t {bare}   some # comment\n", text(&old));
    assert_eq!(judged(&file, "h", 22, &key), Verdict::Trusted);
    assert_eq!(judged(&file, "h", 2222, &key), Verdict::Trusted);
}

fn public(key: &PrivateKey) -> String {
    text(key).split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn another_port_is_another_name() {
    let (key, other) = (new(Algorithm::Ed25519), new(Algorithm::Ed25519));
    let file = format!("[h]:2222 {}\n", text(&key));
    assert_eq!(judged(&file, "h", 2222, &key), Verdict::Trusted);
    assert_eq!(judged(&file, "h", 2222, &other), Verdict::Changed(at(1)));
    assert_eq!(judged(&file, "h", 22, &key), Verdict::Unknown(None));
    assert_eq!(judged(&file, "h", 2223, &key), Verdict::Unknown(None));
    let plain = format!("h {}\n", text(&key));
    assert_eq!(judged(&plain, "h", 2222, &key), Verdict::Trusted, "as OpenSSH");
    assert_eq!(judged(&plain, "h", 2222, &other), Verdict::Unknown(None));
    let pattern = format!("[10.0.?.*]:2222 {}\n", text(&key));
    assert_eq!(judged(&pattern, "10.0.3.17", 2222, &key), Verdict::Trusted);
}

#[test]
fn a_host_known_by_another_key_type_is_not_new_and_is_asked_for_that_type() {
    let (known, shown) = (new(ECDSA), new(Algorithm::Ed25519));
    let file = format!("h {}\n@cert-authority *.org {}\n", text(&known), text(&shown));
    assert_eq!(judged(&file, "h", 22, &shown), Verdict::Unknown(Some(at(1))));
    let files = [Arc::new(KnownHostsFile::parse("known_hosts", &file))];
    assert_eq!(wanted(&files, "h", 2222), Wanted { keys: vec![ECDSA], certificate: false });
    assert_eq!(wanted(&files, "x.org", 22), Wanted { keys: vec![], certificate: true });
}

#[test]
fn a_hashed_name_is_recognised() {
    // Made by `ssh-keygen -H` of OpenSSH 9.2 for `[hashed.example]:2222`.
    let line = HASHED;
    let files = [Arc::new(KnownHostsFile::parse("known_hosts", line))];
    assert_eq!(wanted(&files, "hashed.example", 2222).keys, [Algorithm::Ed25519]);
    assert_eq!(wanted(&files, "hashed.example", 2223).keys, []);
}

#[test]
fn a_key_is_appended_on_a_line_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ssh/known_hosts");
    let (first, second) = (new(Algorithm::Ed25519), new(Algorithm::Ed25519));
    let known = KnownHosts::default();
    assert!(known.files(std::slice::from_ref(&path)).unwrap()[0].lines.is_empty());
    known.append(&path, "a", 22, &public(&first)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end()).unwrap();
    known.append(&path, "B", 2222, &public(&second)).unwrap();
    let expected = format!("a {}\n[b]:2222 {}\n", public(&first), public(&second));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(known.files(&[path]).unwrap()[0].lines.len(), 2);
    assert!(known.files(&[directory.path().to_owned()]).is_err(), "a directory cannot be read");
}
