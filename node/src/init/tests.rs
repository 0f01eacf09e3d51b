use super::*;

#[test]
fn an_origin_is_made_of_what_is_seen() {
    for origin in [
        "a\u{202e}b",
        "a\u{200b}b",
        "a\u{e0041}b",
        "a\u{61c}b",
        "a\u{7f}b",
    ] {
        let error = new_key(origin).map(drop).unwrap_err();
        assert!(matches!(error, InitError::Unreadable { .. }), "{error}");
    }
    for origin in ["log.example.org/assay", "é'#=[", "日本.example/log"] {
        assert!(new_key(origin).is_ok(), "{origin}");
    }
}

/// What to make in a folder.
fn made_in<'a>(dir: &'a Path, origin: &'a str) -> Init<'a> {
    Init {
        dir,
        origin,
        listen: SocketAddr::from(([127, 0, 0, 1], 1)),
        admin: SocketAddr::from(([127, 0, 0, 1], 2)),
        backend: Backend::Redb,
        tables: "",
        passphrase: None,
        holder: None,
    }
}

fn names(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn a_run_that_fails_takes_back_what_it_made_and_the_next_one_makes_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (log, data) = (made_in(dir, "log.example"), dir.join("data"));
    // The last file cannot be made, nor the one before.
    for at in [dir.join("checkpoints"), data] {
        std::os::unix::fs::symlink("nowhere/at/all", &at).unwrap();
        assert!(init(&log).is_err());
        assert_eq!(names(dir), [at.file_name().unwrap().to_str().unwrap()]);
        fs::remove_file(&at).unwrap();
    }
    init(&log).unwrap();
    assert_eq!(names(dir), ["checkpoints", "data", "log.key", "node.toml"]);
    let error = init(&log).map(drop).unwrap_err();
    assert!(matches!(error, InitError::Exists { .. }), "{error}");
    fs::remove_file(dir.join("node.toml")).unwrap();
    let error = init(&log).map(drop).unwrap_err();
    assert!(matches!(error, InitError::Remains { .. }), "{error}");
    assert_eq!(names(dir), ["checkpoints", "data", "log.key"]);
}

#[test]
fn what_would_fail_later_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let unfit = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        refuse_unfit(dir, "log.example", &names)
    };
    unfit(&["w.example", "m.example"]).unwrap();
    for names in [["w.example", "w.example"], ["w.example", "log.example"]] {
        let error = unfit(&names).unwrap_err();
        assert!(matches!(error, InitError::SameName(_)), "{error}");
    }
    fs::write(dir.join("mirror.key"), "").unwrap();
    let error = unfit(&[]).unwrap_err();
    assert!(matches!(error, InitError::Remains { .. }), "{error}");

    let draft = dir.join("node.toml.new");
    fs::write(&draft, "[log]\norigin = \"other.example\"").unwrap();
    let keys = new_key("log.example").unwrap();
    let init = made_in(dir, "log.example");
    let error = make(&init, &draft, Some(&keys), &keys.clone().into()).unwrap_err();
    assert!(matches!(error, InitError::Unfaithful { .. }), "{error}");
    assert_eq!(names(dir), ["mirror.key", "node.toml.new"]);
}

#[test]
fn the_configuration_names_the_origin_of_the_key() {
    for origin in [
        "log.example.org/assay",
        r"log\u0041",
        r#"a"b"#,
        "{listen}",
        "{origin}{admin}",
        "é'#=[",
    ] {
        let init = Init {
            tables: "\n[witness]\nconfig = \"w.toml\"\n",
            ..made_in(Path::new("."), origin)
        };
        let config: Config = toml::from_str(&configuration(&init)).unwrap();
        assert_eq!(config.log.origin, origin);
        assert_eq!(config.witness.unwrap().config, Path::new("w.toml"));
        assert_eq!(config.server.listen, init.listen);
    }
}
