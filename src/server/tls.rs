//! TLS: the server's certificate, and whose clients' certificates are trusted.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::{Error, Result};

/// A certificate with its key. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    asks_clients: bool,
}

impl Tls {
    /// Reads a certificate, with those of its issuers behind it, and its key, both as PEM files.
    ///
    /// With `client_ca`, a PEM file of certificate authorities, only clients are let in that show a certificate of one of them.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub fn new(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self> {
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
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), asks_clients: client_ca.is_some() })
    }

    pub(super) async fn accept<S>(&self, stream: S) -> std::io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }

    /// Whether clients have to show a certificate.
    pub(super) fn asks_clients(&self) -> bool {
        self.asks_clients
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
