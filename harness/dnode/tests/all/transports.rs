//! The same calls over each transport.

use crate::support::on_one_thread;
use dnode::transport::{Address, AddressError, Identity, ListenError, Listener, Trust};
use dnode::{Error, Fault, Object, Peer, args};

fn server() -> Peer {
    Peer::new(|_| Object::new().method("echo", |args| args.at(1).call([args.at(0)])))
}

/// Serves at this address, and calls the server over a new connection.
async fn echo(address: &str, identity: Option<&Identity>, trust: &Trust) -> Result<(), Error> {
    let at = Address::parse_to_listen(address).unwrap();
    let listener = Listener::bind(&at, identity).await.unwrap();
    let address = Address::parse(&listener.address().unwrap(), trust).unwrap();
    let serving = tokio::spawn(async move { server().serve(listener).await });
    let connection = Peer::default().connect(&address).await?;
    let text = "x".repeat(100_000);
    assert_eq!(connection.ask("echo", args![text.as_str()]).await?.at(0).as_str(), Some(text.as_str()));
    connection.close().await?;
    serving.abort();
    Ok(())
}

#[test]
fn tcp() {
    on_one_thread(async { echo("127.0.0.1:0", None, &Trust::System).await.unwrap() });
}

#[test]
fn unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("socket").display());
    on_one_thread(async { echo(&address, None, &Trust::System).await.unwrap() });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the listener removes its socket");
}

#[test]
fn memory() {
    on_one_thread(async {
        let address = Address::in_memory("memory", || {
            let (ours, theirs) = tokio::io::duplex(4096);
            tokio::spawn(async move { server().speak(theirs).await });
            ours
        });
        let connection = Peer::default().connect(&address).await.unwrap();
        assert_eq!(connection.ask("echo", args![1]).await.unwrap().at(0).as_i64(), Some(1));
        let error = Listener::bind(&address, None).await.unwrap_err();
        assert!(matches!(error, ListenError::Unreachable(_)), "{error}");
    });
}

#[test]
#[cfg(feature = "websocket")]
fn websocket() {
    on_one_thread(async { echo("ws://127.0.0.1:0/dnode", None, &Trust::System).await.unwrap() });
}

#[test]
#[cfg(feature = "tls")]
fn tls() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), signed.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), signed.signing_key.serialize_pem()).unwrap();
    let identity = Identity { certificate: path("cert.pem"), key: path("key.pem") };
    on_one_thread(async {
        let address = "tls://127.0.0.1:0";
        for trust in [Trust::Authority(path("cert.pem")), Trust::Anything] {
            echo(address, Some(&identity), &trust).await.unwrap();
        }
        let error = echo(address, Some(&identity), &Trust::System).await.unwrap_err();
        assert!(error.to_string().contains("the certificate is not trusted"), "{error}");
        assert_eq!(error.fault(), Fault::Caller, "the caller can trust the certificate");
    });
}

#[test]
#[cfg(not(any(feature = "tls", feature = "websocket")))]
fn without_their_features_tls_and_websockets_are_not_supported() {
    for text in ["tls://127.0.0.1:1", "ws://127.0.0.1:1/"] {
        assert!(matches!(text.parse::<Address>(), Err(AddressError::Scheme(_))), "{text}");
    }
}

#[test]
fn an_unreachable_peer_is_an_error() {
    on_one_thread(async {
        let address: Address = "unix:/no/such/socket".parse().unwrap();
        let error = Peer::default().connect(&address).await.unwrap_err();
        assert!(
            error.to_string().starts_with("the peer cannot be reached at unix:/no/such/socket: "),
            "{error}"
        );
        assert_eq!(error.fault(), Fault::Peer);
        assert!(matches!("localhost".parse::<Address>(), Err(AddressError::Malformed(_))));
    });
}
