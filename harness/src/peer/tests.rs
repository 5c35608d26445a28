//! The health check after a case, on a paused clock: time passes only while all tasks wait.

use super::*;
use crate::clock::Clock;
use crate::conversation::replay::judged::{Cause, Diverged, Judged};
use crate::program::Taps;
use dnode::transport::Address;
use dnode_reports::event::Kind;
use std::collections::BTreeMap;

const PATIENCE: Duration = Duration::from_secs(8);

/// How many seconds of its time the check gives a silent peer, after a case that ended like this.
async fn seconds(clock: Clock, kind: Kind, cause: Cause, extended: Duration) -> u64 {
    let begun = clock.now();
    let health = checked(clock.clone(), kind, cause, extended).await;
    assert!(matches!(health, Health::Deaf(_)));
    clock.now().since(begun).as_secs()
}

/// The health of a silent peer after a case that ended like this.
async fn checked(clock: Clock, kind: Kind, cause: Cause, extended: Duration) -> Health {
    let refused = Replayed::without_connection("robust/survives", kind, String::new());
    let Judged::Diverged(diverged) = refused.judged else { unreachable!() };
    let judged = Judged::Diverged(Box::new(Diverged { cause, ..*diverged }));
    checked_after(clock, Replayed { judged, extended, ..refused }).await
}

/// The health of a silent peer after a case with this result.
async fn checked_after(clock: Clock, replayed: Replayed) -> Health {
    let address = Address::in_memory("silent", || {
        let (ours, theirs) = tokio::io::duplex(1 << 10);
        tokio::spawn(async move {
            let _open = theirs;
            std::future::pending::<()>().await;
        });
        ours
    });
    let target = Target::Address(address.clone(), None);
    let mut peer = Peer::new(&target, Route::Dial(address, clock, Taps::default()), Running::Elsewhere);
    let mut facts = Facts::of_client();
    facts.object.members = Some(BTreeMap::new());
    peer.health_after(&replayed, &facts, PATIENCE).await
}

#[tokio::test(start_paused = true)]
async fn silence_costs_its_deadline_about_once_in_own_time() {
    let check =
        async |cause, extended| seconds(Clock::unkept(TimeBase::OwnTime), Kind::Deaf, cause, extended).await;
    assert_eq!(check(Cause::Time, Duration::ZERO).await, 2);
    let long_message = Duration::from_secs(5);
    assert_eq!(check(Cause::Time, long_message).await, 7, "it may still work on the long message");
    assert_eq!(check(Cause::Life, Duration::ZERO).await, 8, "it was not silent");
}

#[tokio::test(start_paused = true)]
async fn silence_in_wall_time_costs_another_deadline() {
    let waited = seconds(Clock::unkept(TimeBase::WallTime), Kind::Deaf, Cause::Time, Duration::ZERO).await;
    assert_eq!(waited, 8);
}

#[tokio::test(start_paused = true)]
async fn silence_on_a_machine_that_stands_still_says_nothing_about_the_peer() {
    let clock = Clock::unkept(TimeBase::WallTime);
    let stand_still = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            clock.lose(Duration::from_millis(100));
        }
    };
    tokio::select! {
        health = checked(clock.clone(), Kind::Deaf, Cause::Time, Duration::ZERO) => {
            assert!(matches!(health, Health::Unknown), "{health:?}");
        }
        () = stand_still => {}
    }
}

#[tokio::test(start_paused = true)]
async fn peer_that_was_seen_to_serve_no_connection_is_not_asked_again() {
    let seconds = async |waited, spoke_late| {
        let clock = Clock::unkept(TimeBase::OwnTime);
        let begun = clock.now();
        let silent = Replayed::without_connection("robust/survives", Kind::Deaf, String::new());
        let Judged::Diverged(diverged) = silent.judged else { unreachable!() };
        let judged = Judged::Diverged(Box::new(Diverged { cause: Cause::Time, ..*diverged }));
        let unserved = Some(Duration::from_secs(waited));
        let replayed = Replayed { judged, unserved, spoke_late, ..silent };
        assert!(matches!(checked_after(clock.clone(), replayed).await, Health::Deaf(_)));
        clock.now().since(begun).as_secs()
    };
    assert_eq!(seconds(2, false).await, 0);
    assert_eq!(seconds(1, false).await, 2, "it had too little time");
    assert_eq!(seconds(2, true).await, 8, "it was late, not silent");
}
