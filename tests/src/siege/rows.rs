//! All rows.

use super::{Attack, Target, beginnings, crowds, frames, giant, slow, unfinished, unread, writers};
use futures::{
    FutureExt,
    future::{LocalBoxFuture, join_all},
};

/// All kinds of hostile traffic, by what a table calls them. The last is all others at once.
pub const ROWS: [(&str, Attack); 34] = [
    ("prefix questions that nobody reads", unread::prefixes),
    ("streams of entries that nobody reads", unread::entries),
    ("reflection that nobody reads", unread::reflection),
    ("bundles that nobody reads", unread::bundles),
    ("look-ups that nobody reads", unread::look_ups),
    ("attachments that nobody reads", unread::attachments),
    ("the read API, not read", unread::over_http),
    ("messages that never end", unfinished::messages),
    ("messages on many connections", crowds::windows),
    ("calls that say nothing", crowds::silent),
    ("uploads that never end", unfinished::uploads),
    ("beginnings of connections", beginnings::beginnings),
    ("5,000 idle connections", beginnings::idle),
    ("PING flood", frames::pings),
    ("SETTINGS flood", frames::settings),
    ("rapid reset", frames::resets),
    ("rapid reset, provoked", frames::provoked),
    ("CONTINUATION flood", frames::continuations),
    ("empty and tiny DATA", frames::crumbs),
    ("windows of zero", frames::no_window),
    ("windows that come and go", frames::windows),
    ("frames that say nothing", frames::nothing),
    ("requests sent byte by byte", slow::sending),
    ("answers read byte by byte", slow::reading),
    ("answers read in sips", slow::sipping),
    ("giant questions", giant::questions),
    ("giant questions of the read API", giant::over_http),
    ("headers of long pages", giant::headers_alone),
    ("giant and deep claims and headers", claims),
    ("write overload, forged and signed", writers::overload),
    ("one spammer with 100 keys", writers::spammer),
    ("claims of 2,048 labels", writers::much),
    ("watches", writers::watches),
    ("all of them together", all),
];

fn claims(target: Target) -> LocalBoxFuture<'static, ()> {
    let both = [giant::claims(target.clone()), giant::headers(target)];
    join_all(both).map(|_| ()).boxed_local()
}

fn all(target: Target) -> LocalBoxFuture<'static, ()> {
    let others = &ROWS[..ROWS.len() - 1];
    let others = others.iter().zip(OTHERS..).map(|((_, attack), row)| {
        let target = Target {
            row,
            ..target.clone()
        };
        attack(target)
    });
    join_all(others).map(|_| ()).boxed_local()
}

/// The addresses of all at once: each has as many networks as by itself.
const OTHERS: u8 = 100;
