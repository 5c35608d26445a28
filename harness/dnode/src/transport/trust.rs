//! The settings of TLS. They exist without the feature `tls` too, so that programs compile with any
//! set of features.

use std::path::PathBuf;

/// Which servers' certificates a client accepts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Certificates of the authorities that this system trusts.
    #[default]
    System,
    /// Certificates of the authorities in this PEM file, and of no others.
    Authority(PathBuf),
    /// Any certificate. This protects against nothing: use it in tests only.
    Anything,
}

/// The certificate of a server, and its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The file with the server's certificate, followed by the intermediate certificates.
    pub certificate: PathBuf,
    /// The file with the private key of the certificate.
    pub key: PathBuf,
}
