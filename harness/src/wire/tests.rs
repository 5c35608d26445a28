use super::*;
use crate::program::Taps;
use dnode::transport::{Address, Trust};
use dnode_reports::event::TimeBase;
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

#[tokio::test]
async fn time_to_judge_a_line_is_not_that_of_the_peer() {
    let address = Address::in_memory("fast", || {
        let (ours, mut theirs) = tokio::io::duplex(8 << 20);
        tokio::spawn(async move {
            let deep =
                format!("{{\"method\":0,\"arguments\":[{}{}]}}\n", "[".repeat(100_000), "]".repeat(100_000));
            let _ = theirs.write_all(deep.as_bytes()).await;
            let _ = theirs.read(&mut [0]).await;
        });
        ours
    });
    let clock = Clock::unkept(TimeBase::WallTime);
    let route = Route::Dial(address, clock.clone(), Taps::default());
    let later = clock.now() + Duration::from_secs(60);
    let mut wire = Wire::open(&route, &Terms::default(), later).await.unwrap();
    assert_eq!(clock.lost(), Duration::ZERO);
    assert!(matches!(wire.receive(later).await, Incoming::Message(_)));
    assert!(clock.lost() > Duration::ZERO);
}
