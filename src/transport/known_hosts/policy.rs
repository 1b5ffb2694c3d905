//! What known_hosts lines say of an offered host key (pure).
//!
//! A revoked key is never trusted. A key that differs from a line of the same type is changed, unless another line has
//! it. A host of which any line speaks is never new, so a key is learnt only for hosts that nobody has heard of.

use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg};

use super::pattern::glob;
use super::{KnownHostsFile, Line, Marker};

/// What a host shows of itself.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// Its public key as SSH sends it; inside a certificate the certified key.
    pub key: &'a [u8],
    /// The key type's name.
    pub key_type: &'a str,
    /// The certificate, where it has one.
    pub certificate: Option<&'a Certificate>,
    /// Seconds since 1970, for the certificate's validity.
    pub now: u64,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

/// What to think of an offered key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's.
    Trusted,
    /// A line has another key of that type.
    Changed(Place),
    /// A line revokes it, or the authority that signed its certificate.
    Revoked(Place),
    /// The authority is known, and the certificate does not hold.
    BadCertificate(Place, &'static str),
    /// No line speaks of the key; the place is a line that speaks of the host at all (another key type, an authority).
    Unknown(Option<Place>),
}

/// The name of a host in a known_hosts file.
#[must_use]
pub fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// Judges a key.
#[must_use]
pub fn decide(files: &[Arc<KnownHostsFile>], host: &str, port: u16, offered: &Offered<'_>) -> Verdict {
    let verdict = decide_for(files, &name(host, port), host, offered);
    // As OpenSSH: a line for the host without a port may vouch for the same key on another port.
    if port != 22 && matches!(verdict, Verdict::Unknown(None)) {
        return match decide_for(files, &name(host, 22), host, offered) {
            trusted @ (Verdict::Trusted | Verdict::Revoked(_)) => trusted,
            _ => verdict,
        };
    }
    verdict
}

fn decide_for(files: &[Arc<KnownHostsFile>], name: &str, host: &str, offered: &Offered<'_>) -> Verdict {
    let lines: Vec<_> = lines(files, name).collect();
    let authority = offered
        .certificate
        .and_then(|certificate| russh::keys::PublicKey::from(certificate.signature_key().clone()).to_bytes().ok());
    let signs = |line: &Line| authority.as_deref() == Some(&line.key[..]);
    let is_key = |line: &Line| line.key == offered.key;
    let of = |marker| lines.iter().filter(move |(_, line)| line.marker == marker);

    if let Some((file, line)) = of(Some(Marker::Revoked)).find(|(_, line)| is_key(line) || signs(line)) {
        return Verdict::Revoked(place(file, line));
    }
    if let (Some(certificate), Some((file, line))) =
        (offered.certificate, of(Some(Marker::Authority)).find(|(_, line)| signs(line)))
    {
        return match doubt(certificate, host, offered.now) {
            Some(reason) => Verdict::BadCertificate(place(file, line), reason),
            None => Verdict::Trusted,
        };
    }
    if of(None).any(|(_, line)| is_key(line)) {
        return Verdict::Trusted;
    }
    if let Some((file, line)) = of(None).find(|(_, line)| line.key_type == offered.key_type) {
        return Verdict::Changed(place(file, line));
    }
    let speaks = of(None).chain(of(Some(Marker::Authority))).next();
    Verdict::Unknown(speaks.map(|(file, line)| place(file, line)))
}

/// Why a certificate of a known authority does not hold for a host.
fn doubt(certificate: &Certificate, host: &str, now: u64) -> Option<&'static str> {
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    let host = host.to_ascii_lowercase();
    let is_host = |principal: &String| glob(principal.to_ascii_lowercase().as_bytes(), host.as_bytes());
    if certificate.cert_type() != CertType::Host {
        Some("it is a user's")
    } else if certificate.valid_after() > now || certificate.valid_before() <= now {
        Some("it is not valid at this time")
    } else if !certificate.valid_principals().iter().any(is_host) {
        // Stricter than OpenSSH: no principal is no host, not every host.
        Some("it is for other hosts")
    } else if certificate.critical_options().iter().next().is_some() {
        Some("it has critical options that are not known")
    } else if certificate.validate_at(now, [&authority]).is_err() {
        Some("its signature does not fit")
    } else {
        None
    }
}

/// Which kinds of host key to ask a host for, most wanted first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Key types that its lines have; the others may follow.
    pub keys: Vec<Algorithm>,
    /// Whether an authority is named for it, so that its certificate is of use.
    pub certificate: bool,
}

/// Looks up which key types a host is known by, so that it does not show another one and seem unknown.
#[must_use]
pub fn wanted(files: &[Arc<KnownHostsFile>], host: &str, port: u16) -> Wanted {
    let mut wanted = Wanted::default();
    let names = if port == 22 { vec![name(host, 22)] } else { vec![name(host, port), name(host, 22)] };
    for name in &names {
        for (_, line) in lines(files, name) {
            match line.marker {
                Some(Marker::Authority) => wanted.certificate = true,
                Some(Marker::Revoked) => {}
                None => {
                    if let Ok(algorithm) = Algorithm::new(&line.key_type)
                        && !wanted.keys.contains(&algorithm)
                    {
                        wanted.keys.push(algorithm);
                    }
                }
            }
        }
    }
    wanted
}

fn lines<'a>(files: &'a [Arc<KnownHostsFile>], name: &str) -> impl Iterator<Item = (&'a KnownHostsFile, &'a Line)> {
    files
        .iter()
        .flat_map(|file| file.lines.iter().map(move |line| (&**file, line)))
        .filter(move |(_, line)| line.hosts.fits(name))
}

fn place(file: &KnownHostsFile, line: &Line) -> Place {
    Place { file: file.path.clone(), line: line.number }
}
