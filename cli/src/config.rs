//! Settings: flags and environment (which `clap` joins), then the configuration file, then
//! defaults.

use crate::{
    exit::Failure,
    input, log_key,
    options::{Format, Given, Global},
};
use assay_claims::issuer::IssuerId;
use assay_client::Tls;
use assay_keyfile::Unlock;
use assay_tlog::note::{VerifierKey, refuse_private_key};
use etcetera::base_strategy::{BaseStrategy, Xdg};
use serde::Deserialize;
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// The configuration file. Every key is optional; paths are relative to the file's folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// As `--log`.
    log: Option<String>,
    /// As `--mirror`.
    mirror: Vec<String>,
    /// As `--log-key`.
    log_key: Option<String>,
    /// As `--output`.
    output: Option<Format>,
    /// As `--policy`.
    policy: Option<PathBuf>,
    /// As `--state-dir`.
    state_dir: Option<PathBuf>,
    /// As `--quiet`.
    quiet: Option<bool>,
    /// As `--tls-ca`.
    tls_ca: Option<PathBuf>,
    /// As `--tls-cert`.
    tls_cert: Option<PathBuf>,
    /// As `--tls-key`.
    tls_key: Option<PathBuf>,
    /// As `--passphrase-file`.
    passphrase_file: Option<PathBuf>,
    /// As `--key`: the signing keys.
    key: Vec<PathBuf>,
    /// As `--issuer` of `publish`.
    issuer: Option<String>,
    /// Whether heads that logs show are passed on to other nodes; they are unless this is false.
    submit_heads: Option<bool>,
    /// What `assay monitor` watches for.
    monitor: MonitorTable,
}

/// What `assay monitor` watches for, beside what the command names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorTable {
    /// As `--package`.
    pub packages: Vec<String>,
    /// As `--issuer`.
    pub issuers: Vec<String>,
    /// As `--public-key`.
    pub public_keys: Vec<String>,
    /// As `--foreign`.
    pub foreign: Vec<String>,
}

/// What `--state-dir` says so that nothing is remembered.
pub const NO_STATE: &str = "none";

/// Longest configuration file, in bytes.
const CONFIG_BYTES: usize = 1024 * 1024;

/// A folder in which nothing can be.
const NOWHERE: &str = "/dev/null";

/// The folders of the default files.
#[derive(Debug, Clone)]
struct Folders {
    config: PathBuf,
    state: PathBuf,
}

/// What every command works with.
#[derive(Debug, Clone)]
pub struct Settings {
    log: Option<String>,
    /// Nodes that mirror the log.
    pub mirrors: Vec<String>,
    log_key: Option<String>,
    /// How data is written to stdout.
    pub format: Format,
    /// Only errors on stderr.
    pub quiet: bool,
    /// What was given on the command line.
    pub given: Given,
    /// Where the last heads seen are kept.
    pub state_dir: PathBuf,
    /// The folder of a state that is not kept; it is removed with these settings.
    forgotten: Option<Arc<TempDir>>,
    /// TLS files.
    pub tls: Tls,
    /// Whether heads that logs show are passed on to other nodes.
    pub submit_heads: bool,
    /// How encrypted signing keys are opened.
    pub unlock: Arc<Unlock>,
    keys: Vec<PathBuf>,
    issuer: Option<String>,
    monitor: MonitorTable,
    default_key: PathBuf,
    /// What is trusted of Sigstore, unless a command names another.
    pub trusted_root: PathBuf,
    policy: PathBuf,
    /// Whether the policy's place is the default one.
    policy_by_default: bool,
}

impl Settings {
    /// Joins the flags with the configuration file. Without `--config`, a missing file counts as
    /// empty.
    pub fn load(global: &Global) -> Result<Self, Failure> {
        let folders = Folders::from_environment();
        let path = global
            .config
            .clone()
            .unwrap_or_else(|| folders.config.join("config.toml"));
        let file = match input::text(&path, CONFIG_BYTES) {
            Ok(text) => parse(&text, &path)?,
            Err(e)
                if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                    && global.config.is_none() =>
            {
                File::default()
            }
            Err(e) => {
                return Err(Failure::Usage(format!(
                    "cannot read the configuration file {}: {e}",
                    path.display()
                )));
            }
        };
        let base = path.parent().unwrap_or(Path::new("."));
        let state_dir = global.state_dir.as_deref().or(file.state_dir.as_deref());
        let forgets = state_dir == Some(Path::new(NO_STATE));
        let forgotten = forgets.then(temporary).transpose()?;
        let settings = Settings::join(global, file, base, folders);
        Ok(match forgotten {
            Some(folder) => Settings {
                state_dir: folder.path().to_owned(),
                forgotten: Some(Arc::new(folder)),
                ..settings
            },
            None => settings,
        })
    }

    /// Whether nothing is remembered of what logs show, as was asked for.
    pub fn forgets(&self) -> bool {
        self.forgotten.is_some()
    }

    fn join(global: &Global, file: File, base: &Path, folders: Folders) -> Self {
        let at = |path: Option<PathBuf>| path.map(|path| base.join(path));
        // A key given as text is not a path. Everything else in the file is relative to its folder.
        let file_log_key = file
            .log_key
            .map(|key| match VerifierKey::parse(key.trim()) {
                Ok(_) => key,
                Err(_) => base.join(key).to_string_lossy().into_owned(),
            });
        let text = |flag: &Option<String>| flag.clone().filter(|value| !value.is_empty());
        Settings {
            log: text(&global.log).or(file.log),
            mirrors: if global.mirror.is_empty() {
                file.mirror
            } else {
                global.mirror.clone()
            },
            log_key: text(&global.log_key).or(file_log_key),
            format: global.output.or(file.output).unwrap_or_default(),
            quiet: global.quiet || file.quiet.unwrap_or(false),
            given: global.given.clone(),
            policy_by_default: global.policy.is_none() && file.policy.is_none(),
            policy: global
                .policy
                .clone()
                .or(at(file.policy))
                .unwrap_or_else(|| folders.config.join("policy.toml")),
            state_dir: global
                .state_dir
                .clone()
                .or(at(file.state_dir))
                .unwrap_or(folders.state),
            forgotten: None,
            tls: Tls {
                ca: global.tls_ca.clone().or(at(file.tls_ca)),
                cert: global.tls_cert.clone().or(at(file.tls_cert)),
                key: global.tls_key.clone().or(at(file.tls_key)),
            },
            unlock: Arc::new(Unlock::new(
                global.passphrase_file.clone().or(at(file.passphrase_file)),
            )),
            keys: file.key.into_iter().map(|path| base.join(path)).collect(),
            issuer: file.issuer,
            submit_heads: file.submit_heads.unwrap_or(true),
            monitor: file.monitor,
            default_key: folders.config.join("key.pem"),
            trusted_root: folders.config.join("trusted_root.json"),
        }
    }

    /// The node's address, or how to give it.
    pub fn log(&self) -> Result<String, Failure> {
        self.log.clone().ok_or_else(|| {
            Failure::Usage(
                "no log is named: give its address with --log URL, ASSAY_LOG or `log = …` in the \
                 configuration"
                    .into(),
            )
        })
    }

    /// The log's key, or how to give it.
    pub fn log_key(&self) -> Result<VerifierKey, Failure> {
        let given = self.log_key.as_deref().ok_or_else(|| {
            Failure::Usage(
                "no log key: nothing can be verified without the key that the log's operator \
                 publishes; give it with --log-key, ASSAY_LOG_KEY or `log_key = …` in the \
                 configuration"
                    .into(),
            )
        })?;
        log_key::parse(given)
    }

    /// Whether a log key is set at all.
    pub fn has_log_key(&self) -> bool {
        self.log_key.is_some()
    }

    /// Refuses two options that cannot both be honored, if both were given on the command line; by
    /// their ids.
    pub fn refuse_both(&self, id: &str, other: &str, why: &str) -> Result<(), Failure> {
        if self.given.has(id) && self.given.has(other) {
            let written = |id: &str| id.replace('_', "-");
            return Err(Failure::Usage(format!(
                "--{} and --{} cannot be used together: {why}",
                written(id),
                written(other)
            )));
        }
        Ok(())
    }

    /// The signing keys: those of the command, else those of the configuration, else the default
    /// one.
    pub fn keys(&self, given: &[PathBuf]) -> Vec<PathBuf> {
        match (given, &self.keys[..]) {
            ([], []) => vec![self.default_key.clone()],
            ([], keys) => keys.to_vec(),
            (given, _) => given.to_vec(),
        }
    }

    /// Where `key new` puts a key by default.
    pub fn default_key(&self) -> &Path {
        &self.default_key
    }

    /// What `assay monitor` watches for.
    pub fn monitor(&self) -> &MonitorTable {
        &self.monitor
    }

    /// The policy that a command was given as an argument, else as [`Settings::policy`] has it.
    /// Fails with [`Failure::Usage`] if it was given in both ways.
    pub fn one_policy(&self, argument: Option<PathBuf>) -> Result<PathBuf, Failure> {
        if argument.is_some() && self.given.has("policy") {
            return Err(Failure::Usage(
                "the policy is named twice, as an argument and by --policy; keep one".into(),
            ));
        }
        Ok(self.policy(argument))
    }

    /// The policy: the one that a command names, else that of `--policy`, the configuration, or the
    /// default place.
    pub fn policy(&self, given: Option<PathBuf>) -> PathBuf {
        given.unwrap_or_else(|| self.policy.clone())
    }

    /// Whether no policy was named and none is at the default place. Commands that only show things
    /// then use the one to start with.
    pub fn has_no_policy(&self) -> bool {
        self.policy_by_default && !self.policy.exists()
    }

    /// The issuer to sign for, if one is set.
    pub fn issuer(&self, given: Option<IssuerId>) -> Result<Option<IssuerId>, Failure> {
        match (given, &self.issuer) {
            (Some(id), _) => Ok(Some(id)),
            (None, Some(text)) => parse_issuer(text).map(Some).map_err(Failure::Usage),
            (None, None) => Ok(None),
        }
    }
}

/// Reads an issuer id: 64 lower-case hex digits.
pub fn parse_issuer(text: &str) -> Result<IssuerId, String> {
    refuse_private_key(text).map_err(|held| held.to_string())?;
    IssuerId::from_hex(text)
        .ok_or_else(|| format!("{text:?} is not an issuer id, which has 64 lower-case hex digits"))
}

fn parse(text: &str, path: &Path) -> Result<File, Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::Usage(format!("{}: {e}", path.display()));
    // An error of TOML quotes the line, and a key is not for logs.
    refuse_private_key(text).map_err(|held| wrong(&held))?;
    toml::from_str(text).map_err(|e| wrong(&e))
}

impl Folders {
    /// Those of the XDG Base Directory Specification. Without a home folder, there are none: what
    /// lies in the current one is a project's, which must not say whom to trust.
    fn from_environment() -> Self {
        let base = Xdg::new().ok();
        let named = |variable: &str, of_home: Option<PathBuf>| {
            let given = std::env::var_os(variable).map(PathBuf::from);
            let places = [given, of_home].into_iter().flatten();
            let place = places.into_iter().find(|place| place.is_absolute());
            place.unwrap_or_else(|| NOWHERE.into()).join("assay")
        };
        Folders {
            config: named("XDG_CONFIG_HOME", base.as_ref().map(Xdg::config_dir)),
            state: named("XDG_STATE_HOME", base.as_ref().and_then(Xdg::state_dir)),
        }
    }
}

/// A folder for this run alone. The second place is there in containers that have nothing else to
/// write to.
fn temporary() -> Result<TempDir, Failure> {
    tempfile::tempdir()
        .or_else(|_| tempfile::tempdir_in("/dev/shm"))
        .map_err(|e| Failure::io("cannot make a folder for this run alone, in TMPDIR", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(global: &Global, file: &str) -> Settings {
        let folders = Folders {
            config: "/config".into(),
            state: "/state".into(),
        };
        Settings::join(
            global,
            parse(file, Path::new("config.toml")).unwrap(),
            Path::new("/base"),
            folders,
        )
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let none = Global::default();
        let settings = join(&none, "");
        assert_eq!(
            (settings.state_dir.as_path(), settings.format),
            (Path::new("/state"), Format::Text)
        );
        assert!(settings.log().is_err());

        let file = "log = \"http://file\"\noutput = \"json\"\nstate_dir = \"seen\"\nquiet = true";
        let settings = join(&none, file);
        assert_eq!(settings.log().unwrap(), "http://file");
        assert_eq!(
            (settings.state_dir.as_path(), settings.format),
            (Path::new("/base/seen"), Format::Json)
        );
        assert!(settings.quiet);

        let flags = Global {
            log: Some("http://flag".into()),
            output: Some(Format::Text),
            state_dir: Some("mine".into()),
            ..Global::default()
        };
        let settings = join(&flags, file);
        assert_eq!(settings.log().unwrap(), "http://flag");
        assert_eq!(
            (settings.state_dir.as_path(), settings.format),
            (Path::new("mine"), Format::Text)
        );
    }

    #[test]
    fn the_policy_comes_from_the_command_then_the_flag_then_the_file_then_the_default() {
        let file = "policy = \"p.toml\"";
        let flag = Global {
            policy: Some("flag.toml".into()),
            ..Global::default()
        };
        assert_eq!(
            join(&flag, file).policy(Some("given.toml".into())),
            PathBuf::from("given.toml")
        );
        assert_eq!(join(&flag, file).policy(None), PathBuf::from("flag.toml"));
        assert_eq!(
            join(&Global::default(), file).policy(None),
            PathBuf::from("/base/p.toml")
        );
        assert_eq!(
            join(&Global::default(), "").policy(None),
            PathBuf::from("/config/policy.toml")
        );
    }

    #[test]
    fn keys_come_from_the_command_then_the_file_then_the_default() {
        let settings = join(&Global::default(), "key = [\"a.pem\"]");
        assert_eq!(settings.keys(&["b.pem".into()]), [PathBuf::from("b.pem")]);
        assert_eq!(settings.keys(&[]), [PathBuf::from("/base/a.pem")]);
        assert_eq!(
            join(&Global::default(), "").keys(&[]),
            [PathBuf::from("/config/key.pem")]
        );
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named_with_its_line() {
        let error = parse("log = \"x\"\nlogg = \"y\"", Path::new("config.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("config.toml") && error.contains("logg") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn nothing_is_shown_of_a_private_key() {
        let log_key = "PRIVATE+KEY+a.example/log+0ae13d78+AYISVYXr";
        let age_key = "# public key: age1q\nAGE-SECRET-KEY-1AYISVYXr\n";
        for said in [
            parse(log_key, Path::new("log.key"))
                .unwrap_err()
                .to_string(),
            parse(age_key, Path::new("age.key"))
                .unwrap_err()
                .to_string(),
            parse_issuer(log_key).unwrap_err(),
        ] {
            assert!(said.contains("private key"), "{said}");
            assert!(!said.contains("AYISVYXr"), "{said}");
        }
    }
}
