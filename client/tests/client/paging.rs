//! Lists that a node sends without end.

use crate::fake::{Fake, claim, id, registration};
use crate::lookups::{example, log, package};
use assay_claims::index::{By, Query};
use assay_claims::limits::WHOLE_LIST;
use assay_client::gather::{Source, gather};
use assay_client::{Allowance, Client, ClientError, Cursor};
use assay_policy::trust::HeardTo;
use std::path::Path;
use std::time::Duration;
use tonic::Status;

const ALL: Allowance = Allowance {
    bytes: 1 << 30,
    time: Duration::from_secs(60),
};

fn unavailable<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::Unavailable { what, .. }) => what,
        other => panic!("not unavailable: {other:?}"),
    }
}

async fn news(client: &Client, folder: &Path) -> Result<usize, ClientError> {
    let mut cursor = Cursor::open(folder, client.log_key(), &[example()]).unwrap();
    cursor.rewind().unwrap();
    let news = cursor.news(client).await?;
    Ok(news.map_or(0, |news| news.fresh.len()))
}

#[tokio::test]
async fn a_list_that_comes_leaf_by_leaf_is_left() {
    for (claims, most_that_is_told) in [(60, true), (70, false)] {
        let (fake, folder) = (log(claims).await, tempfile::tempdir().unwrap());
        let client = fake.client(folder.path()).await;
        fake.state().page = 1;
        let list = client.list(&package()).await;
        let news = news(&client, folder.path()).await;
        if most_that_is_told {
            assert_eq!(list.unwrap().leaves().count() as u64, claims);
            assert_eq!(news.unwrap() as u64, claims);
        } else {
            for what in [unavailable(list), unavailable(news)] {
                assert!(what.contains("in pages of fewer than 8 leaves"), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn lists_take_no_more_memory_and_time_than_is_allowed() {
    let (fake, folder) = (log(40).await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    fake.state().page = 10;
    let mut allowed = ALL;
    client.list_within(&package(), &mut allowed).await.unwrap();
    let one = ALL.bytes - allowed.bytes;
    assert!(one > 40 * 200, "{one}");

    // One list after the other, all of them take off the same.
    let mut allowed = Allowance {
        bytes: 2 * one + 1,
        ..ALL
    };
    for _ in 0..2 {
        client.list_within(&package(), &mut allowed).await.unwrap();
    }
    assert_eq!(allowed.bytes, 1);
    let what = unavailable(client.list_within(&package(), &mut allowed).await);
    assert!(what.contains("more memory than is set aside"), "{what}");
    assert_eq!(allowed.bytes, 0);
    let narrow = client.clone().with_answers_of(one / 2);
    for what in [
        unavailable(narrow.list(&package()).await),
        unavailable(news(&narrow, folder.path()).await),
    ] {
        assert!(what.contains("more memory than is set aside"), "{what}");
    }

    // A node that takes 50 ms for a page.
    fake.state().rewrite = Some(Box::new(|_, query, answer| {
        if matches!(query, Query::Page { .. }) {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(vec![answer])
    }));
    let mut allowed = Allowance {
        time: Duration::from_millis(120),
        ..ALL
    };
    let what = unavailable(client.list_within(&package(), &mut allowed).await);
    assert!(what.contains("is not at its end after 120ms"), "{what}");
}

/// Of more than is listened to, the beginning comes page by page, and it is told how far that goes:
/// as far as lists are whole, or as far as the node brings it.
#[tokio::test]
async fn the_beginning_of_a_list_that_is_too_long_is_heard() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    fake.state().publish(&registration(1));
    for number in 1..=WHOLE_LIST + 5 {
        fake.state().append(&claim(1, number));
    }
    fake.state().commit();
    let client = fake.client(folder.path()).await;
    let by = [By::issuer(&id(1))];
    let source = Source::Node(client.clone(), None);
    let heard = async |source: &Source| {
        let gathered = gather(source, &[example()], &by).await?;
        let heard = gathered.overlong[&package()];
        Ok::<_, ClientError>((gathered.claims, heard, gathered.missing))
    };
    let (claims, to, missing) = heard(&source).await.unwrap();
    let last = claims.last().unwrap();
    assert_eq!((claims.len() as u64, missing), (WHOLE_LIST, None));
    let to = to.unwrap();
    assert_eq!((to.leaf, to.at_ms), (last.leaf(), last.logged_at_ms()));

    // A page that does not come ends it, and is told.
    fake.state().rewrite = Some(Box::new(|_, query, answer| match query {
        Query::Page { from: 3_000.., .. } => Err(Status::unavailable("not now")),
        _ => Ok(vec![answer]),
    }));
    let (some, to, _) = heard(&source).await.unwrap();
    assert_eq!(some.len(), 3_000);
    assert_eq!(to.unwrap().leaf, claims[2_999].leaf());
    fake.state().rewrite = Some(Box::new(|_, query, answer| match query {
        Query::Page { .. } => Err(Status::unavailable("not now")),
        _ => Ok(vec![answer]),
    }));
    let (none, to, _) = heard(&source).await.unwrap();
    assert_eq!((none.len(), to), (0, Some(HeardTo::default())));

    // A page of another place is refused.
    fake.state().rewrite = Some(Box::new(|state, query, answer| match query {
        Query::Page { label, from: 1_000 } => {
            let (label, from) = (*label, 2_000);
            Ok(vec![state.answer(&Query::Page { label, from })])
        }
        _ => Ok(vec![answer]),
    }));
    let refused = heard(&source).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, ClientError::Unverified { .. }));

    // Who does not tell what is asked about cannot ask for a part of a list.
    fake.state().rewrite = None;
    let (none, to, _) = heard(&Source::Private(client)).await.unwrap();
    assert_eq!((none.len(), to), (0, None));
}

/// Three times what an answer to many labels brings of a list.
const LISTED: u64 = 3 * assay_claims::limits::LABEL_ENTRIES as u64;

/// Many lists of which the answer has not all entries: each is asked for alone, and all of them
/// together take no more than one may.
#[tokio::test]
async fn lists_that_are_asked_for_alone_are_bounded_together() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    for seed in 1..=4 {
        for number in 1..=LISTED {
            fake.state().append(&claim(seed, number));
        }
    }
    fake.state().commit();
    let client = fake.client(folder.path()).await;
    let mut allowed = ALL;
    client.list_within(&package(), &mut allowed).await.unwrap();
    let one = ALL.bytes - allowed.bytes;
    let by = [1, 2, 3, 4].map(|seed| By::issuer(&id(seed)));
    for (lists, is_told) in [(6, true), (3, false)] {
        let client = client.clone().with_answers_of(lists * one);
        let all = gather(&Source::Node(client, None), &[example()], &by).await;
        if is_told {
            assert_eq!(all.unwrap().claims.len() as u64, 4 * LISTED);
        } else {
            let what = unavailable(all);
            assert!(what.contains("more memory than is set aside"), "{what}");
        }
    }
}
