//! What a log may take of the disk, of memory and of time.

use super::*;

/// A log that is too large, or for which the disk has no room, is stopped where it is; what was
/// cosigned of it stays, and it goes on once it may.
#[tokio::test]
async fn a_log_over_its_limit_is_stopped_and_what_was_copied_stays() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 300, 300);
    let few = LogLimits {
        entries: 300,
        gib: 0,
    };
    let mut mirror = limited(&store, &url, || NOW, few);
    mirror.round().await.unwrap();
    publish(&served, 301, 301);
    let fetched = served.lock().unwrap().fetched.len();
    let refused = mirror.round().await.unwrap_err();
    assert_eq!(refused.kind(), "limit");
    assert!(
        refused.to_string().contains("mirror.max_entries"),
        "{refused}"
    );
    assert_eq!(size_shown(&mirror), Some(300));
    let fetched = served.lock().unwrap().fetched[fetched..].to_vec();
    assert_eq!(fetched, ["checkpoint"], "nothing of it is fetched");

    // 300 entries have less than a GiB, and the disk has less than is to be left free.
    let mut full = follower(&store, &url, || NOW);
    let reserve = 1 << 20;
    let shared = Arc::get_mut(&mut full.copied).unwrap();
    let shared = Arc::get_mut(&mut shared.shared).unwrap();
    (shared.free, shared.reserve) = (Box::new(move || Ok(reserve + 100)), reserve);
    let refused = full.round().await.unwrap_err();
    assert_eq!(refused.kind(), "limit");
    assert!(
        refused.to_string().contains("mirror.reserve_mib"),
        "{refused}"
    );
    assert_eq!(size_shown(&full), Some(300));

    let mut free = follower(&store, &url, || NOW);
    free.round().await.unwrap();
    assert_eq!(size_shown(&free), Some(301));
}

/// The limit in bytes counts what is stored, over restarts.
#[tokio::test]
async fn the_bytes_of_a_copy_are_counted() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    let mut taken = Vec::new();
    for size in [0, 10, 300, 600] {
        publish(&served, size, size);
        let mut mirror = follower(&store, &url, || NOW);
        mirror.round().await.unwrap();
        let digits: u64 = (0..size).map(|i| i.to_string().len() as u64).sum();
        taken.push((
            mirror.copied.with(|copy| Ok(copy.bytes())).await.unwrap(),
            digits + 35 * size,
        ));
    }
    assert!(
        taken.iter().all(|(counted, right)| counted == right),
        "{taken:?}"
    );
    let limits = LogLimits { entries: 0, gib: 1 };
    assert!(limits.check_bytes(1 << 30).is_ok());
    let refused = limits.check_bytes((1 << 30) + 1).unwrap_err();
    assert!(refused.to_string().contains("mirror.max_gib"), "{refused}");
}

/// One budget for all: who takes all of it makes the others wait, and they go on when it is free.
#[tokio::test]
async fn the_memory_is_one_budget_for_all_logs() {
    let memory = Budget::new(128);
    let mut held = Vec::new();
    while let Some(room) = memory.try_room() {
        held.push(room);
    }
    // 128 MiB less the 33 of a long bundle and the 48 of uploads, by 4.
    assert_eq!(held.len(), 11);
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 600, 600);
    let mut mirror = follower(&store, &url, || NOW);
    let shared = Arc::get_mut(&mut mirror.copied).unwrap();
    Arc::get_mut(&mut shared.shared).unwrap().memory = memory.clone();
    let round = tokio::spawn(async move {
        mirror.round().await.unwrap();
        size_shown(&mirror)
    });
    let of_entries = |served: &Served| {
        let served = served.lock().unwrap();
        served
            .fetched
            .iter()
            .filter(|path| path.contains("entries"))
            .count()
    };
    // What is given back goes to who waits, and to nobody else. All of this is one thread, so that
    // nobody takes it in between.
    loop {
        assert_eq!(of_entries(&served), 0, "it waits");
        held.pop();
        match memory.try_room() {
            None => break,
            Some(room) => held.push(room),
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(round.await.unwrap(), Some(600));
    assert_eq!(of_entries(&served), 3);
}

/// A log that begins bundles and does not end them costs its own time and one fetch of memory.
#[tokio::test]
async fn a_log_that_never_ends_a_bundle_is_given_up() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 600, 600);
    served.lock().unwrap().endless = true;
    let mut mirror = follower(&store, &url, || NOW);
    let site = Site::new(
        site::client_within(Duration::from_millis(300)).unwrap(),
        &url,
    );
    Arc::get_mut(&mut mirror.copied).unwrap().site = site;
    let started = std::time::Instant::now();
    let refused = mirror.round().await.unwrap_err();
    assert_eq!(refused.kind(), "unreachable", "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    served.lock().unwrap().endless = false;
    mirror.round().await.unwrap();
    assert_eq!(size_shown(&mirror), Some(600));
}
