//! Other projects' checkers judge our logs, and are themselves shown to notice a broken one.
//!
//! Everything here needs Go; a run without it leaves out `needs_go` by name (`scripts/test`).

mod needs_go {
    use std::{
        error::Error,
        fs,
        path::{Path, PathBuf},
    };

    use assay_proto::v1::Wait;
    use assay_tests::{
        data,
        interop::{checked_size, fsck, require_go},
        issuer::Actor,
        log::{Log, covering},
        process::Node,
        static_http::StaticHttp,
    };

    type TestResult = Result<(), Box<dyn Error>>;

    /// A log made by Tessera itself: its folder, laid out as C2SP tlog-tiles says, and its verifier
    /// key.
    struct PeerLog {
        folder: PathBuf,
        vkey: String,
    }

    /// Every `<name>.vkey` of the data set that has a folder `<name>` beside it.
    fn peer_logs(set: &Path) -> Result<Vec<PeerLog>, Box<dyn Error>> {
        let mut logs = Vec::new();
        for item in fs::read_dir(set)? {
            let key = item?.path();
            let folder = key.with_extension("");
            if key.extension().is_some_and(|extension| extension == "vkey") && folder.is_dir() {
                logs.push(PeerLog {
                    folder,
                    vkey: fs::read_to_string(&key)?.trim().to_owned(),
                });
            }
        }
        assert!(!logs.is_empty(), "no log in {}", set.display());
        Ok(logs)
    }

    #[test]
    fn fsck_passes_a_log_of_its_own_project() -> TestResult {
        let Some(set) = data::require("tlog-tiles").filter(|_| require_go("fsck of a peer's log"))
        else {
            return Ok(());
        };
        for log in peer_logs(&set)? {
            let stated = fs::read_to_string(log.folder.join("checkpoint"))?
                .lines()
                .nth(1)
                .map(str::parse)
                .transpose()?;
            let server = StaticHttp::serve(&log.folder)?;
            let success = fsck(&server.url(), &log.vkey)?;
            assert_eq!(checked_size(&success), stated, "{success}");
        }
        Ok(())
    }

    /// More than 65,536 entries, so that there are full tiles of level 1, a tile of level 2, and
    /// partial ones of each.
    const ENTRIES: u64 = 70_100;

    #[test]
    fn fsck_passes_a_log_of_ours_as_it_is_served() -> TestResult {
        if !require_go("fsck of a served log") {
            return Ok(());
        }
        let node = Node::start_with("admission.issuer_claims_per_second = 0")?;
        let (url, vkey) = (node.ready().url.clone(), node.ready().vkey.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let size = runtime.block_on(async {
            let log = Log::connect(node.ready()).await?;
            let issuer = Actor::new(&[1], 1);
            log.publish(issuer.registration()?, Wait::Sequenced).await?;
            let streams = (0..4)
                .map(|n| log.publish_many(&issuer, 1 + n * ENTRIES / 4..1 + (n + 1) * ENTRIES / 4));
            futures::future::try_join_all(streams).await?;
            // Between two claims there are commitments, of which nobody knows the number.
            let last = log.publish(issuer.claim(0), Wait::Integrated).await?;
            anyhow::ensure!(last.leaf_index > ENTRIES);
            log.published(covering([&last])).await?;
            log.size().await
        });
        let size = size?;
        let success = fsck(&url, &vkey)?;
        assert_eq!(checked_size(&success), Some(size), "{success}");
        // It did check this very log: under another log's key nothing passes.
        let other = Node::start()?;
        refused_at(
            &url,
            &other.ready().vkey,
            "failed to fetch and verify checkpoint",
        )?;
        Ok(())
    }

    /// Without this a harness that always answers "success" would pass every other test here.
    #[test]
    fn fsck_refuses_every_broken_copy() -> TestResult {
        let Some(set) = data::require("tlog-tiles").filter(|_| require_go("fsck of broken logs"))
        else {
            return Ok(());
        };
        for log in peer_logs(&set)? {
            let size = fs::read_to_string(log.folder.join("checkpoint"))?
                .lines()
                .nth(1)
                .ok_or("no size")?
                .to_owned();
            let (tile, bundle) = (
                format!("tile/0/000.p/{size}"),
                format!("tile/entries/000.p/{size}"),
            );
            for (broken, complaint) in [
                ("checkpoint", "failed to fetch and verify checkpoint"),
                (tile.as_str(), "log has"),
                (bundle.as_str(), "fsck failed"),
            ] {
                let copy = tempfile::tempdir()?;
                copy_folder(&log.folder, copy.path())?;
                flip_last_bit(&copy.path().join(broken))?;
                refused(copy.path(), &log.vkey, complaint)
                    .map_err(|reason| format!("{broken} changed: {reason}"))?;
                fs::remove_file(copy.path().join(broken))?;
                refused(copy.path(), &log.vkey, "fsck failed")
                    .map_err(|reason| format!("{broken} gone: {reason}"))?;
            }
            let other_name = log.vkey.replacen('+', "x+", 1);
            refused(&log.folder, &other_name, "")
                .map_err(|reason| format!("another log's key: {reason}"))?;
        }
        Ok(())
    }

    fn refused(folder: &Path, vkey: &str, complaint: &str) -> Result<(), String> {
        let server = StaticHttp::serve(folder).map_err(|error| error.to_string())?;
        refused_at(&server.url(), vkey, complaint)
    }

    fn refused_at(url: &str, vkey: &str, complaint: &str) -> Result<(), String> {
        match fsck(url, vkey) {
            Err(why) if why.contains(complaint) => Ok(()),
            Err(why) => Err(format!("refused, but without {complaint:?}: {why}")),
            Ok(success) => Err(format!("not noticed: {success}")),
        }
    }

    fn flip_last_bit(file: &Path) -> TestResult {
        let mut bytes = fs::read(file)?;
        *bytes.last_mut().ok_or("an empty file has no bit to flip")? ^= 1;
        Ok(fs::write(file, bytes)?)
    }

    fn copy_folder(from: &Path, to: &Path) -> TestResult {
        for item in fs::read_dir(from)? {
            let item = item?;
            let copy = to.join(item.file_name());
            if item.file_type()?.is_dir() {
                fs::create_dir(&copy)?;
                copy_folder(&item.path(), &copy)?;
            } else {
                fs::copy(item.path(), copy)?;
            }
        }
        Ok(())
    }
}
