//! A PKCS#11 token of SoftHSM in a folder of a test, and a module before it that fails when it is
//! told to.

use crate::skip;
use anyhow::{Context, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// The label of the token.
pub const LABEL: &str = "logs of a test";

/// The PIN of its user.
pub const PIN: &str = "271828";

/// The label of its key.
pub const KEY: &str = "assay";

/// Before the seed of an Ed25519 key in PKCS#8 (RFC 8410, 7).
const PKCS8: &str = "302e020100300506032b657004220420";

/// The module of SoftHSM, if it is installed. Without it a test that `needs` it cannot run: that is
/// a failure in CI (`CI` is set) and said aloud anywhere else.
///
/// # Panics
/// In CI, when it is missing.
pub fn require_softhsm(needs: &str) -> Option<PathBuf> {
    let missing = || "SoftHSM is missing (Debian's package softhsm2)".to_owned();
    let found = softhsm().ok_or_else(missing);
    skip::unless_found(needs, &found).cloned()
}

fn softhsm() -> Option<PathBuf> {
    Command::new("softhsm2-util")
        .arg("--version")
        .output()
        .ok()?;
    let folders = [
        "/usr/lib/softhsm",
        "/usr/lib64/softhsm",
        "/usr/lib64/pkcs11",
        "/usr/lib/pkcs11",
        "/usr/local/lib/softhsm",
        "/opt/homebrew/lib/softhsm",
    ];
    let mut modules = folders
        .map(|it| Path::new(it).join("libsofthsm2.so"))
        .into_iter();
    modules.find(|module| module.is_file())
}

/// A token in a folder.
#[derive(Debug)]
pub struct Token {
    folder: tempfile::TempDir,
    softhsm: PathBuf,
}

impl Token {
    /// A token with a key of this seed.
    pub fn new(softhsm: &Path, seed: &[u8; 32]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let token = Token {
            folder,
            softhsm: softhsm.to_owned(),
        };
        let tokens = token.path("tokens").display().to_string();
        let text = format!("directories.tokendir = {tokens}\nobjectstore.backend = file\n");
        fs::write(token.path("softhsm2.conf"), text)?;
        token.put_pin(PIN)?;
        token.fail("")?;
        token.make(seed)?;
        token.compile()?;
        Ok(token)
    }

    /// Makes the token anew, with a key of this seed. Nobody may use it.
    pub fn make(&self, seed: &[u8; 32]) -> anyhow::Result<()> {
        let _ = fs::remove_dir_all(self.path("tokens"));
        fs::create_dir(self.path("tokens"))?;
        self.util(&[
            "--init-token",
            "--free",
            "--label",
            LABEL,
            "--so-pin",
            "314159",
        ])?;
        self.add(KEY, "0a", seed)
    }

    /// Adds a key of this seed, with a label and an id in hex. Nobody may use the token.
    pub fn add(&self, label: &str, id: &str, seed: &[u8; 32]) -> anyhow::Result<()> {
        let der = [&hex::decode(PKCS8)?, &seed[..]].concat();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der)
        );
        let file = self.path("key.pem");
        fs::write(&file, pem)?;
        let file = file.display().to_string();
        self.util(&[
            "--import", &file, "--token", LABEL, "--label", label, "--id", id,
        ])
    }

    fn util(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut util = Command::new("softhsm2-util");
        util.args(arguments).args(["--pin", PIN]);
        let output = util.envs(self.environment()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{arguments:?}: {said}");
        Ok(())
    }

    /// Makes the module that fails when it is told to. It takes a C compiler, as RocksDB does.
    fn compile(&self) -> anyhow::Result<()> {
        let source = self.path("token.c");
        fs::write(&source, include_str!("token.c"))?;
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([self.path("token.so"), source])
            .arg("-ldl")
            .output()
            .context("cc makes the module")?;
        let said = String::from_utf8_lossy(&compiled.stderr);
        ensure!(compiled.status.success(), "{said}");
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a process that uses the token has in its environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |name| self.path(name).display().to_string();
        vec![
            ("SOFTHSM2_CONF".to_owned(), path("softhsm2.conf")),
            ("ASSAY_TEST_TOKEN".to_owned(), path("fails")),
            (
                "ASSAY_TEST_MODULE".to_owned(),
                self.softhsm.display().to_string(),
            ),
        ]
    }

    /// The URI of the key, by SoftHSM's own module, without a place of the PIN.
    pub fn uri(&self) -> String {
        let label = LABEL.replace(' ', "%20");
        let module = self.softhsm.display();
        format!("pkcs11:token={label};object={KEY};id=%0a;type=private?module-path={module}")
    }

    /// The URI of the key, by the module that fails, with the PIN in a file.
    pub fn uri_that_fails(&self) -> String {
        let uri = self.uri();
        let (key, _) = uri.split_once('?').unwrap_or_default();
        let (module, pin) = (self.path("token.so"), self.path("pin"));
        format!(
            "{key}?module-path={}&pin-source=file:{}",
            module.display(),
            pin.display()
        )
    }

    /// Puts a PIN into the file that the URI names.
    pub fn put_pin(&self, pin: &str) -> anyhow::Result<()> {
        let file = self.path("pin");
        fs::write(&file, format!("{pin}\n"))?;
        Ok(fs::set_permissions(
            &file,
            fs::Permissions::from_mode(0o600),
        )?)
    }

    /// How it fails from now on: `once` (the session has ended), `gone`, `locked`, `last` (it has
    /// one more try), `lost` (the key), `hang`, `wrong`, `short` (signatures), or not (empty).
    pub fn fail(&self, how: &str) -> anyhow::Result<()> {
        // Renamed into its place: the module never reads half of it.
        fs::write(self.path("fails.new"), how)?;
        Ok(fs::rename(self.path("fails.new"), self.path("fails"))?)
    }

    /// How often the module was started, and logged in to.
    pub fn calls(&self) -> (usize, usize) {
        let calls = fs::read_to_string(self.path("fails.calls")).unwrap_or_default();
        let count = |letter| calls.matches(letter).count();
        (count('i'), count('l'))
    }
}
