//! `mix.lock` of Elixir: a line `"APP": {:hex, :NAME, "VERSION", "INNER", …, "REPO", "OUTER"}` or
//! `"APP": {:git, "ADDRESS", "COMMIT", …}` for each dependency.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{self, Repository};
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "mix.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `mix deps.get` write it",
    files: &["mix.lock"],
    path: None,
    sign: Sign::Text(|head| head.first() == "%{" && head.has("  \"")),
    read: |input, _| read(input),
};

/// The public repository, as the file calls it.
const PUBLIC: &str = "hexpm";

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    let mut open = false;
    let mut closed = false;
    for (number, line) in input.lines() {
        match line.trim() {
            "" => {}
            "%{" if !open => open = true,
            "%{}" if !open => (open, closed) = (true, true),
            "}" if open && !closed => closed = true,
            entry if open && !closed => read_entry(number, entry, &mut list)?,
            other => {
                return Err(Fault::at(
                    number,
                    format!("{} is not of a map", quoted(other)),
                ));
            }
        }
    }
    if closed {
        Ok(list)
    } else {
        Err(Fault::new(None, "the map %{ … } does not end"))
    }
}

fn read_entry(number: u32, entry: &str, list: &mut List) -> Result<(), Fault> {
    let malformed = || Fault::at(number, format!("{} is no entry of mix.lock", quoted(entry)));
    // Texts in quotes come in the same order in every version; what else there is does not matter.
    let texts: Vec<&str> = entry.split('"').skip(1).step_by(2).collect();
    let (app, tuple) = entry.split_once("\": {:").ok_or_else(malformed)?;
    let app = app.trim_start_matches('"');
    let line = Some(number);
    let component = |name: &str| Component {
        name: name.to_owned(),
        line,
        ..Component::default()
    };
    if tuple.starts_with("git, ") {
        let (Some(address), Some(commit)) = (texts.get(1), texts.get(2)) else {
            return Err(malformed());
        };
        let repository = Repository {
            address,
            revision: Some(commit),
        };
        let parts = origin::package("hex", app, None);
        return list.sources(component(app), parts, &repository);
    }
    let name = tuple
        .strip_prefix("hex, :")
        .and_then(|rest| rest.split(',').next());
    let (Some(name), Some(version)) = (name, texts.get(1)) else {
        return Err(malformed());
    };
    let name = name.trim_matches('"');
    let mut component = component(name);
    component.version = Some((*version).to_owned());
    // The last text is the digest of the file, from 0.20.3 on, and the one before the repository.
    if let [_, _, _, .., repository, outer] = texts.as_slice()
        && let Some(digest) = digest::hex("sha256", outer).ok().flatten()
    {
        component.digests.push(digest);
        if *repository != PUBLIC {
            let mut parts = origin::package("hex", name, Some(version));
            parts
                .qualifiers
                .push(("repository_url".to_owned(), format!("hex:{repository}")));
            list.remark("from another repository than hex.pm", line, name);
            return list.package(component, parts);
        }
    }
    list.package(component, origin::package("hex", name, Some(version)))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::MixLock;
    use crate::components::tests::{found, lines, refusal};

    #[test]
    fn entries_are_of_hex_or_of_git() {
        let (sum, commit) = ("0".repeat(64), "17620a225744b4a18845d4f7bf63354e01109b91");
        let text = format!(
            "%{{\n  \"a\": {{:hex, :a_b, \"1.0.0\", \"{sum}\", [:mix], [{{:c, \"~> 1.0\", [hex: \
             :c, repo: \
             \"hexpm\", optional: false]}}], \"hexpm\", \"{sum}\"}},\n  \"old\": {{:hex, :old, \
                  \"0.1.0\", \
             \"{sum}\", [:mix], []}},\n  \"g\": {{:git, \"https://host/g.git\", \"{commit}\", \
                  []}},\n  \"p\": \
             {{:hex, :p, \"2.0.0\", \"{sum}\", [:mix], [], \"acme\", \"{sum}\"}},\n}}\n"
        );
        assert_eq!(
            lines(&found(MixLock, &text)),
            [
                "pkg:hex/a_b@1.0.0 sha256 :2".to_owned(),
                "pkg:hex/old@0.1.0 :3".to_owned(),
                format!(
                    "pkg:hex/g@{commit}?vcs_url=git%2Bhttps:%2F%2Fhost%2Fg.git%40{commit} \
                     gitCommit :4"
                ),
                "pkg:hex/p@2.0.0?repository_url=hex:acme sha256 :5".to_owned(),
            ]
        );
        for (text, said) in [
            ("%{\n", "x: the map"),
            ("%{\n  \"a\": {:hex, :a},\n}\n", "x:2: "),
            ("%{\n}\nodd\n", "x:3: \"odd\" is not of a map"),
            ("%{\n  \"a\": {:svn, \"x\"},\n}\n", "x:2: "),
        ] {
            let error = refusal(MixLock, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
