//! For tests of transports: certificates, reports, and the difference of two reports.

use super::{PROGRAM, Ran, run};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use tempfile::TempDir;

/// A new certificate authority, and a certificate for this machine.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub fn new() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A certificate with the name of its authority would look self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", authority.pem());
        write("cert.pem", certificate.pem());
        write("key.pem", key.serialize_pem());
        Certificates { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of a file, for the command line.
    pub fn word(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The arguments with which the reference peer listens over TLS.
    pub fn serve(&self) -> String {
        let (certificate, key) = (self.word("cert.pem"), self.word("key.pem"));
        format!("--listen tls://127.0.0.1:{{port}} --tls-cert {certificate} --tls-key {key}")
    }
}

/// The command that starts the reference peer with these arguments of `serve`.
pub fn reference(arguments: &str) -> String {
    format!("exec '{PROGRAM}' serve {arguments}")
}

/// Runs the program. Returns its canonical report too.
pub fn report(arguments: &[&str]) -> (Ran, Json) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let ran = run(&[arguments, &["--report", &format!("json={}", file.display())]].concat());
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ran.stdout, ran.stderr));
    let report = serde_json::from_str(&text);
    let report = report.unwrap_or_else(|error| panic!("{error}\n{}\n{}", ran.stdout, ran.stderr));
    (ran, report)
}

/// The differences in npm dnode's report over another transport or as a client, for the cases that run.
pub fn npm_changed(arguments: &[&str]) -> String {
    super::install("npm-dnode-transports");
    let known = std::fs::read_to_string(super::root().join("reports/known/npm-dnode-1.2.2.json")).unwrap();
    let mut known: Json = serde_json::from_str(&known).unwrap();
    let (ran, report) = report(arguments);
    ran.expect_status(&[1]);
    let ids = |report: &Json| {
        report["cases"].as_array().unwrap().iter().map(|case| case["id"].clone()).collect::<Vec<_>>()
    };
    let run = ids(&report);
    known["cases"].as_array_mut().unwrap().retain(|case| run.contains(&case["id"]));
    known["planned"] = run.len().into();
    difference(&known, &report)
}

/// The difference of two canonical reports: a line for each case that differs, and the other fields
/// if one of them differs. The numbers of verdicts do not count.
pub fn difference(a: &Json, b: &Json) -> String {
    let mut out = String::new();
    let cases = |report: &Json| -> BTreeMap<String, Json> {
        let cases = report["cases"].as_array().unwrap().iter();
        cases.map(|case| (case["id"].as_str().unwrap().to_owned(), case.clone())).collect()
    };
    let (of_a, of_b) = (cases(a), cases(b));
    assert_eq!(of_a.keys().collect::<Vec<_>>(), of_b.keys().collect::<Vec<_>>());
    for (id, was) in &of_a {
        let is = &of_b[id];
        if was != is {
            let word = |case: &Json| case["verdict"].as_str().unwrap().to_owned();
            let reason = is["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
            let _ = writeln!(out, "{id}: {} -> {}{reason}", word(was), word(is));
        }
    }
    let rest = |report: &Json| {
        let mut rest = report.as_object().unwrap().clone();
        rest.retain(|key, _| !["cases", "verdicts"].contains(&key.as_str()));
        rest
    };
    if rest(a) != rest(b) {
        let _ = writeln!(out, "{:#?}\nis not\n{:#?}", rest(a), rest(b));
    }
    out
}
