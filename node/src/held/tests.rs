//! Room is counted, waited for and given back.

use super::*;

const ROOM: usize = 4096;

pub(super) fn held(stall_ms: u64) -> Arc<Held> {
    Held::new(Limits {
        bytes: (ROOM * BYTE_KINDS) as u64,
        connections: 64,
        stall: Duration::from_millis(stall_ms),
        shared: vec!["127.0.0.1".parse().unwrap()],
    })
}

/// What a node holds that has room for whatever a test asks.
pub(crate) fn roomy() -> Arc<Held> {
    Held::new(Limits {
        bytes: 64 << 20,
        connections: 64,
        stall: Duration::from_secs(60),
        shared: Vec::new(),
    })
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_network_is_an_ipv4_address_or_an_ipv6_64() {
    for (one, other, same) in [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("2001:db8::1", "2001:db8::ffff:1", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
    ] {
        let equal = network(address(one)) == network(address(other));
        assert_eq!(equal, same, "{one} and {other}");
    }
}

#[test]
fn a_connection_a_network_and_all_have_room_of_their_own() {
    let held = held(1000);
    let connection = |text| held.connection(address(text));
    let mine = connection("2001:db8::1");
    let first = mine.try_hold(Kind::Long, ROOM / 8).unwrap();
    assert!(mine.try_hold(Kind::Long, 1).is_none(), "the connection");
    assert!(mine.try_hold(Kind::Short, 1).is_some(), "another kind");
    let second = connection("2001:db8::2");
    let second = second.try_hold(Kind::Long, ROOM / 8).unwrap();
    let third = connection("2001:db8::3");
    assert!(third.try_hold(Kind::Long, 1).is_none(), "the network");
    assert_eq!(held.bytes(), ROOM as u64 / 4);
    drop((first, second));
    assert!(third.try_hold(Kind::Long, 1).is_some());
    assert_eq!(held.bytes(), 0);
}

#[test]
fn a_network_has_a_sixteenth_of_all_connections_and_a_shared_address_as_many_as_it_likes() {
    let held = held(1000);
    let open = |text: &str| {
        let holds =
            (0..64).map_while(|_| held.connection(address(text)).try_hold(Kind::Connection, 1));
        holds.collect::<Vec<_>>()
    };
    let mine = open("2001:db8::1");
    assert_eq!(mine.len(), 4);
    assert_eq!(open("2001:db8::2").len(), 0, "the same network");
    assert_eq!(open("2001:db8:0:1::1").len(), 4);
    // How many there are in all is for the server, which makes room.
    assert_eq!(open("::ffff:127.0.0.1").len(), 64, "all that it opens");
    drop(mine);
    assert_eq!(open("2001:db8::2").len(), 4);
}

/// Takes all of a kind but what is kept for those who hold little.
fn all_but_kept(held: &Arc<Held>, kind: Kind) -> Vec<Hold> {
    let take = |_| {
        let shared = held.connection(address("127.0.0.1"));
        shared.try_hold(kind, ROOM / 8).unwrap()
    };
    (0..7).map(take).collect()
}

#[test]
fn a_shared_address_has_no_room_as_a_network() {
    let held = held(1000);
    let holds: Vec<_> = (0..8)
        .map(|_| {
            held.connection(address("127.0.0.1"))
                .try_hold(Kind::Long, ROOM / 8)
        })
        .collect();
    assert!(holds.iter().all(Option::is_some));
    let other = held.connection(address("192.0.2.1"));
    assert!(other.try_hold(Kind::Long, 1).is_none(), "all");
}

#[tokio::test]
async fn who_holds_little_has_room_whatever_others_hold() {
    let held = held(1000);
    let one = held.connection(address("192.0.2.1"));
    let mut nothing = one.try_hold(Kind::Prepared, 0).unwrap();
    let holds = all_but_kept(&held, Kind::Prepared);
    assert_eq!(held.bytes(), 7 * ROOM as u64 / 8);
    assert!(one.try_hold(Kind::Prepared, 9).is_none(), "all");
    let little = one.try_hold(Kind::Prepared, 8).unwrap();
    let other = held.connection(address("192.0.2.1"));
    assert!(other.try_hold(Kind::Prepared, 1).is_none(), "the network");
    assert!(!nothing.resize(1));
    drop(little);
    assert!(nothing.resize(2) && nothing.resize(1));
    drop(nothing);
    let mut little = other.clone().wait(Kind::Prepared, 5).await;
    assert!(one.try_hold(Kind::Prepared, 4).is_none());
    assert!(!little.resize(9), "it is not little any more");
    assert!(little.resize(8) && little.resize(2));
    // A connection that is of no network has half as much.
    let shared = held.connection(address("127.0.0.1"));
    assert!(shared.try_hold(Kind::Prepared, 5).is_none());
    let its = shared.try_hold(Kind::Prepared, 4).unwrap();
    // There is no more than what is kept.
    let network = |number: u16| Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, 1);
    let many = (0..100).map(|number| held.connection(network(number).into()));
    let many: Vec<_> = many
        .map_while(|it| it.try_hold(Kind::Prepared, 8))
        .collect();
    assert_eq!(many.len(), (ROOM / 8 - 2 - 4) / 8);
    let waits = one.clone().wait(Kind::Prepared, 6);
    tokio::pin!(waits);
    assert!(futures::poll!(&mut waits).is_pending());
    drop(many);
    let waited = waits.await;
    assert_eq!(held.bytes(), 7 * ROOM as u64 / 8 + 2 + 4 + 6);
    drop((holds, little, its, waited));
    assert_eq!(held.bytes(), 0);
    assert_eq!(all_but_kept(&held, Kind::Prepared).len(), 7);
}

#[test]
fn a_connection_knows_how_many_its_network_has() {
    let held = held(1000);
    let [one, other] = ["2001:db8::1", "2001:db8::2"].map(|it| held.connection(address(it)));
    let places = [&one, &other].map(|it| it.try_hold(Kind::Connection, 1).unwrap());
    assert_eq!([one.connections(), other.connections()], [2, 2]);
    let [first, _second] = places;
    drop(first);
    assert_eq!(other.connections(), 1);
    let shared = held.connection(address("127.0.0.1"));
    let _place = shared.try_hold(Kind::Connection, 1).unwrap();
    assert_eq!(shared.connections(), 0);
}

#[test]
fn room_that_was_resized_is_given_back_whole() {
    let held = held(1000);
    let mine = held.connection(address("192.0.2.1"));
    let mut hold = mine.try_hold(Kind::Prepared, 100).unwrap();
    assert!(hold.resize(200) && hold.resize(50) && hold.resize(ROOM / 8));
    let other = mine.try_hold(Kind::Prepared, 1);
    assert!(other.is_none());
    assert!(hold.resize(10));
    let other = mine.try_hold(Kind::Prepared, ROOM / 8 - 10).unwrap();
    assert!(!hold.resize(11) && !hold.cover(11));
    assert!(hold.cover(5) && mine.try_hold(Kind::Prepared, 1).is_none());
    drop(other);
    assert!(hold.cover(200) && hold.cover(100));
    assert_eq!(held.bytes(), 200);
    drop(hold);
    assert_eq!(held.bytes(), 0);
}

#[tokio::test]
async fn who_waits_gets_room_when_it_is_free_and_who_gives_up_leaves_none_behind() {
    let held = held(1000);
    let mine = held.connection(address("192.0.2.1"));
    let first = mine.try_hold(Kind::Long, ROOM / 8).unwrap();
    let waiting = tokio::spawn(mine.clone().wait(Kind::Long, 1));
    let gone = tokio::spawn(mine.clone().wait(Kind::Long, 1));
    tokio::task::yield_now().await;
    gone.abort();
    drop(first);
    let second = waiting.await.unwrap();
    drop(second);
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(held.bytes(), 0);
}

#[tokio::test]
async fn only_answers_that_lie_unread_stall_a_connection() {
    let held = held(20);
    let mine = held.connection(address("192.0.2.1"));
    let claims = mine.try_hold(Kind::Claims, 1).unwrap();
    let read = mine.try_hold(Kind::Long, 1);
    drop(read);
    let stalled = tokio::time::timeout(Duration::from_millis(500), mine.stalled());
    assert!(stalled.await.is_err(), "nothing of what it holds is unread");
    let answer = mine.try_hold(Kind::Short, 1).unwrap();
    mine.stalled().await;
    drop((claims, answer));
}

#[test]
fn claims_of_streams_keep_out_no_single_one() {
    let held = held(1000);
    let streams = all_but_kept(&held, Kind::Claims);
    let mine = held.connection(address("192.0.2.9"));
    assert!(mine.try_hold(Kind::Claims, 9).is_none());
    assert!(mine.try_hold(Kind::Claim, 1000).is_some());
    drop(streams);
}

#[test]
fn a_caller_whom_a_proxy_names_has_the_room_of_a_network_and_not_of_the_proxys_connection() {
    let held = held(1000);
    let proxy = held.connection(address("127.0.0.1"));
    let (mine, other) = (address("192.0.2.1"), address("192.0.2.2"));
    let take = |caller, bytes| proxy.of_caller(caller).try_hold(Kind::Long, bytes);
    // More than a connection has, and all that a network has, whatever calls it is for.
    let holds = [take(mine, ROOM / 8), take(mine, ROOM / 8)].map(Option::unwrap);
    assert!(take(mine, 1).is_none(), "the network");
    assert!(held.connection(mine).try_hold(Kind::Long, 1).is_none());
    let others = take(other, ROOM / 4).unwrap();
    assert_eq!(held.bytes(), ROOM as u64 / 2);
    // What is not said to be a caller's is the proxy's.
    assert!(take(address("::ffff:127.0.0.1"), ROOM / 8).is_some());
    assert!(take(address("127.0.0.1"), ROOM / 8).is_some());
    drop((holds, others));
    assert!(take(mine, ROOM / 4).is_some());
    assert_eq!(held.bytes(), 0);
}

#[tokio::test]
async fn what_a_named_caller_does_not_read_is_known_of_the_connection() {
    let held = held(20);
    let proxy = held.connection(address("127.0.0.1"));
    assert!(proxy.holds_nothing());
    let caller = proxy.of_caller(address("192.0.2.1"));
    assert!(!proxy.holds_nothing(), "a call is worked for");
    let answer = caller.try_hold(Kind::Short, 1).unwrap();
    drop(caller);
    proxy.stalled().await;
    assert!(!proxy.holds_nothing(), "an answer is unread");
    drop(answer);
    assert!(proxy.holds_nothing());
}
