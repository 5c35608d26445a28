//! TLS 1.2 and 1.3 over TCP, by rustls, without client certificates.
//!
//! A shutdown sends `close_notify` and then closes the sending half of the TCP stream.

use super::error::CertificateError;
use super::stream::Transport;
use super::tcp::Tcp;
use super::trust::{Identity, Trust};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{self, WebPkiSupportedAlgorithms, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A [`Trust`], with its certificates read.
#[derive(Clone)]
pub(super) struct Trusted {
    pub(super) trust: Trust,
    config: Arc<ClientConfig>,
}

impl std::fmt::Debug for Trusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.trust.fmt(f)
    }
}

impl Trusted {
    /// Reads the certificates.
    pub(super) fn new(trust: Trust) -> Result<Trusted, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| CertificateError::Library(error.to_string()))?;
        let config = match &trust {
            Trust::System => builder.with_root_certificates(system()),
            Trust::Authority(file) => builder.with_root_certificates(authority(file)?),
            Trust::Anything => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(algorithms)))
            }
        };
        Ok(Trusted { trust, config: Arc::new(config.with_no_client_auth()) })
    }
}

/// The authorities that this system trusts. If it has none, every handshake fails and says so.
fn system() -> RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let read = || {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        store
    };
    SYSTEM.get_or_init(read).clone()
}

fn authority(file: &Path) -> Result<RootCertStore, CertificateError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(file)? {
        store.add(certificate).map_err(|error| unusable(file, &error))?;
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| unusable(file, &error))?;
    match certificates.is_empty() {
        true => Err(CertificateError::Empty(file.to_owned())),
        false => Ok(certificates),
    }
}

/// Connects to `host:port`, and does the handshake.
pub(super) async fn connect(address: &str, trusted: &Trusted) -> io::Result<TlsStream<Tcp>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{address} cannot be the name in a certificate: {error}"),
        )
    })?;
    let stream = Tcp::connect(address).await?;
    TlsConnector::from(Arc::clone(&trusted.config))
        .connect(name, stream)
        .await
        .map(TlsStream::Client)
        .map_err(explain)
}

/// Says why a handshake failed. The kind says who is at fault: see
/// [`Connection::open`](super::Connection::open).
fn explain(error: io::Error) -> io::Error {
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else { return error };
    match cause {
        Error::InvalidCertificate(_) => {
            io::Error::new(io::ErrorKind::InvalidInput, format!("the certificate is not trusted: {cause}"))
        }
        Error::InvalidMessage(_) => {
            io::Error::new(io::ErrorKind::InvalidData, format!("the peer does not speak TLS: {cause}"))
        }
        _ => io::Error::new(io::ErrorKind::InvalidData, format!("the TLS handshake failed: {cause}")),
    }
}

fn unusable(file: &Path, problem: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::File { file: file.to_owned(), problem: problem.to_string() }
}

/// Reads the certificate and key of a server.
pub(super) fn acceptor(identity: &Identity) -> Result<TlsAcceptor, CertificateError> {
    let Identity { certificate, key } = identity;
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| CertificateError::Library(error.to_string()))?;
    let config = builder.with_no_client_auth().with_single_cert(chain, secret);
    Ok(TlsAcceptor::from(Arc::new(config.map_err(|error| unusable(certificate, &error))?)))
}

impl Transport for TlsStream<Tcp> {
    fn hold_until_half_close(&self) {
        self.get_ref().0.cork();
    }

    fn reset(self: Box<Self>) {
        self.get_ref().0.reset_at_close();
    }
}

/// Accepts every certificate. A wrong signature still fails the handshake.
#[derive(Debug)]
struct Unverified(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _stapled: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
