use super::*;
use dnode::transport::{Address, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn slow_final_write_is_not_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let route =
        Route::from(Address::parse(&listener.local_addr().unwrap().to_string(), &Trust::System).unwrap());
    let later = route.clock().now() + Duration::from_secs(60);
    let mut wire = Wire::open(&route, &Terms::default(), later).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    wire.close(route.clock().now()).await;
    drop(wire);
    assert_eq!(peer.read(&mut [0]).await.unwrap(), 0, "our half has ended");
    for _ in 0..3 {
        peer.write_all(b"a word\n").await.unwrap();
    }
}
