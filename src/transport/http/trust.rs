//! Whose word counts for who a server is (edge: reads files of authorities, once each).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::transport::ConnectError;

/// How the error names the authorities that no file of the inventory's names.
const SYSTEM: &str = "the system's store";

/// Configurations by the file of authorities.
#[derive(Debug, Default)]
pub(super) struct Trust(Mutex<BTreeMap<Option<PathBuf>, Arc<ClientConfig>>>);

impl Trust {
    /// The configuration for servers whose certificates these authorities sign: those of the system where none are named.
    pub(super) fn of(&self, ca: Option<&Path>) -> Result<Arc<ClientConfig>, ConnectError> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = ca.map(Path::to_owned);
        if let Some(config) = read.get(&key) {
            return Ok(Arc::clone(config));
        }
        let shown = ca.map_or_else(|| SYSTEM.to_owned(), |path| path.display().to_string());
        let failed = |reason: String| ConnectError::Authorities { path: shown.clone(), reason };
        let certificates = match ca {
            Some(path) => {
                let read = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
                read.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.to_string()))?
            }
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(failed("there is no certificate in it".to_owned()));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let config = Arc::new(config);
        read.insert(key, Arc::clone(&config));
        Ok(config)
    }
}
