//! Why an address, a certificate or a listener cannot be used. The caller is at fault in all of these, except for [`ListenError::Bind`], which
//! may be a fault of the system.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

const FORMS: &str = "write HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH";

/// Why a text is not an address that can be used. Each text says what to write instead.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It has none of the forms.
    #[error("{0:?} is not an address; {FORMS}, for example 127.0.0.1:5050")]
    Malformed(String),
    /// Its scheme is unknown, or needs a feature of this crate that is off.
    #[error("{0}:// is not supported; {FORMS}")]
    Scheme(String),
    /// It is written `unix://PATH`.
    #[error("\"unix://{0}\" is not an address; write unix:{0}")]
    UnixUrl(String),
    /// A [`Trust`](super::Trust) other than the system's is given for a transport without TLS.
    #[error("certificates are about TLS, and {0} is not a TLS address; write tls://HOST:PORT")]
    NotTls(String),
    /// The certificates to trust cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// Why the certificates or the key in a file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file cannot be read, or its content is not valid.
    #[error("{}: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The error of the system or of the TLS library.
        problem: String,
    },
    /// The file holds no certificate.
    #[error("{} holds no certificate in PEM format", .0.display())]
    Empty(PathBuf),
    /// The TLS library does not accept its own defaults: a defect.
    #[error("TLS cannot be used: {0}")]
    Library(String),
}

/// Why it is not possible to listen at an address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Other processes cannot connect to this kind of address.
    #[error("cannot listen at {0}: no other process can connect there")]
    Unreachable(String),
    /// The system refuses it.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// The address.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// An identity is given for a transport without TLS.
    #[error("a certificate is for TLS, and {0} is not a TLS address; write tls://HOST:PORT")]
    NotTls(String),
    /// To listen over TLS takes a certificate and its key, and none are given.
    #[error("to listen at {0} takes a certificate and its key")]
    NoIdentity(String),
    /// The certificate or the key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}
