//! TLS over TCP, by rustls.
//!
//! Our half is ended by a `close_notify` and the end of the TCP stream behind it. Versions 1.2 and 1.3, no client certificates.

use super::Transport;
use super::tcp::Tcp;
use std::io;
use std::path::{Path, PathBuf};
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

/// Which certificates of peers are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those of the authorities that this system trusts.
    #[default]
    System,
    /// Those of the authorities in this PEM file, and of no others.
    Authority(PathBuf),
    /// All, whoever made them and for whomever: for tests.
    Anything,
}

/// A [`Trust`] that has been read.
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
    pub(super) fn new(trust: Trust) -> Result<Trusted, String> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| format!("harness: TLS: {error}"))?;
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

/// The authorities that this system trusts. A system without any trusts nobody, and the handshake says so.
fn system() -> RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let read = || {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        store
    };
    SYSTEM.get_or_init(read).clone()
}

fn authority(file: &Path) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(file)? {
        store.add(certificate).map_err(|error| format!("caller: {}: {error}", file.display()))?;
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| format!("caller: {}: {error}", file.display()))?;
    match certificates.is_empty() {
        true => Err(format!("caller: {} holds no certificate in PEM", file.display())),
        false => Ok(certificates),
    }
}

/// Connects to `host:port` and shakes hands.
pub(super) async fn connect(address: &str, trusted: &Trusted) -> io::Result<TlsStream<Tcp>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("no certificate can be for {address}: {error}"))
    })?;
    let stream = Tcp::connect(address).await?;
    TlsConnector::from(Arc::clone(&trusted.config))
        .connect(name, stream)
        .await
        .map(TlsStream::Client)
        .map_err(explain)
}

/// Says what may be done about a handshake that failed.
fn explain(error: io::Error) -> io::Error {
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else { return error };
    match cause {
        Error::InvalidCertificate(_) => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "{cause}; name its authority with --tls-ca FILE, or believe anything with --tls-insecure"
            ),
        ),
        _ => io::Error::new(io::ErrorKind::InvalidData, format!("the TLS handshake failed: {cause}")),
    }
}

/// Shakes hands as a server, with the certificates of one PEM file and the key of another.
///
/// # Errors
/// What is wrong with the files. The caller is at fault.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let chain = certificates(certificate)?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("caller: {}: {error}", key.display()))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("harness: TLS: {error}"))?;
    let config = builder.with_no_client_auth().with_single_cert(chain, secret);
    let config = config
        .map_err(|error| format!("caller: {} and {}: {error}", certificate.display(), key.display()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Transport for TlsStream<Tcp> {
    fn hold_until_half_close(&self) {
        self.get_ref().0.cork();
    }

    fn abort(self: Box<Self>) {
        self.get_ref().0.reset_at_close();
    }
}

/// Believes every certificate, but still that the peer holds its key: a broken signature is a broken handshake.
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
