use super::*;

#[test]
fn the_template_is_complete_and_says_the_defaults() {
    let text = TEMPLATE
        .replace("{origin}", "log.example")
        .replace("{listen}", "127.0.0.1:7480")
        .replace("{admin}", "127.0.0.1:7481")
        .replace("{backend}", "rocksdb");
    let stated: Config = toml::from_str(&text).unwrap();
    let default: Config = toml::from_str("[log]\norigin = \"log.example\"").unwrap();
    assert_eq!(format!("{stated:?}"), format!("{default:?}"));
    // Keys that are commented out are documented too: uncommented, they parse.
    let tls = text
        .replace("# [server.tls]", "[server.tls]")
        .replace("# certificate", "certificate");
    let tls = tls
        .replace("# key =", "key =")
        .replace("# client_authorities", "client_authorities");
    let quorum = text
        .replace("# [quorum]", "[quorum]")
        .replace("# policy =", "policy =")
        .replace("# extra_wait_ms", "extra_wait_ms")
        .replace("# refresh_ms", "refresh_ms")
        .replace("# candidate_timeout_ms", "candidate_timeout_ms");
    let stated = toml::from_str::<Config>(&quorum).unwrap().quorum.unwrap();
    let least: QuorumConfig = toml::from_str("policy = \"quorum.policy\"").unwrap();
    assert_eq!(format!("{stated:?}"), format!("{least:?}"));
    assert!(
        toml::from_str::<Config>(&tls)
            .unwrap()
            .server
            .tls
            .unwrap()
            .client_authorities
            .is_some()
    );
}

#[test]
fn a_misspelt_key_is_refused_by_name() {
    let error =
        toml::from_str::<Config>("[log]\norigin = \"x\"\npublish_intervall_ms = 3").unwrap_err();
    assert!(
        error.to_string().contains("publish_intervall_ms"),
        "{error}"
    );
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    std::fs::write(
        &file,
        "[log]\norigin = \"x\"\nanchor = \"/elsewhere/anchor\"",
    )
    .unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.log.key, folder.path().join("log.key"));
    assert_eq!(config.log.checkpoint_file, Path::new("/elsewhere/anchor"));
}

/// What a configuration with these tables is refused for.
fn refused(tables: &str) -> String {
    let text = format!("[log]\norigin = \"log.example\"\n{tables}");
    toml::from_str::<Config>(&text)
        .unwrap()
        .check()
        .unwrap_err()
}

#[test]
fn what_is_out_of_range_is_refused_by_name() {
    for (table, values) in [
        ("federation", "gossip_interval_ms alarm_after_ms"),
        ("quorum", "extra_wait_ms refresh_ms candidate_timeout_ms"),
        ("mirror", "poll_ms scrub_ms"),
        ("audit", "index_cache_mib"),
    ] {
        for value in values.split(' ') {
            let audit = match table {
                "audit" => "[mirror]\nname = \"m\"\n",
                _ => "",
            };
            let needs = match table {
                "quorum" => "policy = \"p\"\n",
                "mirror" | "audit" => "name = \"m\"\n",
                _ => "",
            };
            let said = refused(&format!("{audit}[{table}]\n{needs}{value} = 100000000"));
            assert!(said.contains(&format!("{table}.{value}")), "{said}");
        }
    }
    let said = refused("[mirror]\nname = \"m\"\nmemory_mib = 95");
    assert!(said.contains("at least 96"), "{said}");
    let said = refused("[audit]\nname = \"a\"");
    assert!(said.contains("there is no [mirror]"), "{said}");
}

#[test]
fn there_are_so_many_anchors_and_mirrored_logs() {
    let anchors = format!("{:?}", vec!["00".repeat(32); 65]);
    let said = refused(&format!(
        "[admission]\nmode = \"endorsed\"\nanchors = {anchors}"
    ));
    assert!(said.contains("more than 64"), "{said}");
    let log = "[[mirror.log]]\norigin = \"a\"\nkeys = []\nurl = \"http://a.example\"\n";
    let logs = log.repeat(1001);
    let said = refused(&format!("[mirror]\nname = \"m\"\n{logs}"));
    assert!(said.contains("more than 1000 logs"), "{said}");
}

#[test]
fn a_mirrored_log_has_one_address_and_one_limit() {
    let key = assay_tlog::note::SignerKey::from_seed("a", &[1; 32]).unwrap();
    let log = format!(
        "[[mirror.log]]\norigin = \"a\"\nkeys = [\"{}\"]\nurl = \"http://a.example\"\n",
        key.verifier()
    );
    let limit = "[[mirror.limit]]\norigin = \"a\"\n";
    for (logs, words) in [
        (
            log.replace("http:", "file:"),
            "no http:// or https:// address",
        ),
        (log.replace("a.example", "a.example:0"), "its port \"0\""),
        (log.repeat(2), "stands under [mirror] twice"),
        (limit.repeat(2), "two [[mirror.limit]]"),
    ] {
        let said = refused(&format!("[mirror]\nname = \"m\"\n{logs}"));
        assert!(said.contains(words), "{said}");
    }
}
