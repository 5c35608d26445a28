//! Errors of addresses, certificates and listeners. The caller is at fault in all of them, except
//! that [`ListenError::Bind`] is the system's answer.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

const FORMS: &str = "write HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH";

/// Why a text is not a usable address. Each message says what to write instead.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text has none of the known forms.
    #[error("{0:?} is not an address; {FORMS}, for example 127.0.0.1:5050")]
    Malformed(String),
    /// The scheme is unknown, or needs a feature of this crate that is off.
    #[error("{0}:// is not supported; {FORMS}")]
    Scheme(String),
    /// The text has the form `unix://PATH`.
    #[error("\"unix://{0}\" is not an address; write unix:{0}")]
    UnixUrl(String),
    /// The text is `stdio:`, which is no place to connect to.
    #[error(
        "\"stdio:\" is not an address to connect to: it stands for the standard input and output of a program"
    )]
    Stdio,
    /// A [`Trust`](super::Trust) other than [`System`](super::Trust::System) was given for a
    /// transport without TLS.
    #[error("certificates are about TLS, and {0} is not a TLS address; write tls://HOST:PORT")]
    NotTls(String),
    /// The certificates to trust cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// Why a file's certificates or key cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file cannot be read, or its content is invalid.
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
    /// The TLS library rejects its own defaults. This is a defect of the library, not of the
    /// caller.
    #[error("TLS cannot be used: {0}")]
    Library(String),
}

/// Why it is not possible to listen at an address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is in this process's memory, or is that of processes that we start, so no other
    /// process can connect to it.
    #[error("cannot listen at {0}: no other process can connect there")]
    Unreachable(String),
    /// The system refuses: the port is taken, for example.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// The address.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// An [`Identity`](super::Identity) was given for a transport without TLS.
    #[error("a certificate is for TLS, and {0} is not a TLS address; write tls://HOST:PORT")]
    NotTls(String),
    /// TLS needs an [`Identity`](super::Identity), and none was given.
    #[error("to listen at {0} takes a certificate and its key")]
    NoIdentity(String),
    /// The certificate or the key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}
