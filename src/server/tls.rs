//! TLS: the server's certificate, and whose clients' certificates are trusted.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::event::{Event, Observer};
use super::stamp::Stamp;
use crate::{Error, Result};

/// A certificate with its key. Its files are read again when they change. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    files: Arc<Files>,
    current: Arc<Mutex<(Stamps, TlsAcceptor)>>,
    observer: Observer,
}

/// What the files looked like when they were read last.
type Stamps = [Option<Stamp>; 3];

/// Where everything lies, as PEM files.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

impl Tls {
    /// Reads a certificate, with those of its issuers behind it, and its key, both as PEM files.
    ///
    /// With `client_ca`, a PEM file of certificate authorities, only clients are let in that show a certificate of one of them.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub fn new(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let files = Files { certificate, key, client_ca: client_ca.map(Path::to_owned) };
        let current = (files.stamps(), files.read()?);
        Ok(Self { files: Arc::new(files), current: Arc::new(Mutex::new(current)), observer: Observer::default() })
    }

    /// Sets who is told of new certificates.
    pub(super) fn observed(self, observer: Observer) -> Self {
        Self { observer, ..self }
    }

    pub(super) async fn accept<S>(&self, stream: S) -> std::io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor().accept(stream).await
    }

    /// Whether clients have to show a certificate.
    pub(super) fn asks_clients(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// What is used for the next client. While files do not fit together, that is what was used before.
    fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.files.stamps();
        if current.0 != stamps {
            let problem = match self.files.read() {
                Ok(acceptor) => {
                    current.1 = acceptor;
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            current.0 = stamps;
            self.observer.tell(|| Event::Certificate { problem });
        }
        current.1.clone()
    }
}

impl Files {
    fn stamps(&self) -> Stamps {
        let stamp = |path: Option<&PathBuf>| path.and_then(|path| Stamp::of(path).ok());
        [stamp(Some(&self.certificate)), stamp(Some(&self.key)), stamp(self.client_ca.as_ref())]
    }

    fn read(&self) -> Result<TlsAcceptor> {
        let Self { certificate, key, client_ca } = self;
        let chain = certificates(certificate)?;
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unfit(key, error, "a private key"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(certificate, error, "a certificate"))?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| unfit(path, error, "authorities"))?)
            }
        };
        let mut config =
            builder.with_single_cert(chain, secret).map_err(|error| unfit(key, error, "the key of the certificate"))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn roots(path: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unfit(path, error, "certificates of authorities"))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| unfit(path, error, "certificates"))?;
    if found.is_empty() { Err(unfit(path, "there is none", "certificates")) } else { Ok(found) }
}

fn unfit(path: &Path, error: impl fmt::Display, what: &str) -> Error {
    Error::Invalid {
        place: format!("`{}`", path.display()),
        problem: format!("it could not be used: {error}"),
        hint: format!("it is a PEM file with {what}"),
    }
}
