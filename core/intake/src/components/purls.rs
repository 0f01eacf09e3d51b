//! A plain list of package URLs, one a line; lines that begin with `#` are comments, and so is what
//! stands behind a blank and `#`.

use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use assay_claims::kind::node::quoted;
use assay_claims::purl::Purl;

pub(super) const READER: Reader = Reader {
    name: "purl list",
    is_sbom: false,
    remedy: "nothing of the file is taken; correct the line",
    files: &["purls.txt"],
    path: None,
    sign: Sign::Text(|head| Purl::begins(head.first())),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    for (number, line) in input.lines() {
        let purl = without_comment(line);
        if purl.is_empty() {
            continue;
        }
        if !Purl::begins(purl) {
            return Err(Fault::at(
                number,
                format!("{} is no package URL", quoted(purl)),
            ));
        }
        if purl.contains(char::is_whitespace) || has_another(purl) {
            let reason = format!("{} is not one package URL", quoted(purl));
            return Err(Fault::at(number, reason)
                .advise("nothing of the file is taken; write one a line, and a blank as %20"));
        }
        let mut component = sbom::component(purl, None);
        component.line = Some(number);
        Element {
            component,
            purls: vec![purl.into()],
            upstream: None,
        }
        .add(&mut list)?;
    }
    Ok(list)
}

/// A line without its comment, which begins it or stands behind a blank: a `#` behind anything else
/// begins the subpath.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    });
    let bare = line.get(..comment.unwrap_or(line.len()));
    bare.unwrap_or_default().trim()
}

/// Whether another package URL stands behind one, parted by what lists are written with.
fn has_another(purl: &str) -> bool {
    purl.split([',', ';', '|']).skip(1).any(Purl::begins)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::PurlList;
    use crate::components::tests::{found, lines, refusal, unidentified};

    #[test]
    fn each_line_is_a_package() {
        let found = found(
            PurlList,
            "# ours\npkg:npm/@s/a@1\n\npkg:npm/b\npkg:npm/c@^2\nPKG:npm/d@1\n",
        );
        let expected = ["pkg:npm/%40s/a@1 :2", "pkg:npm/d@1 :6"];
        assert_eq!(lines(&found), expected);
        assert_eq!(unidentified(&found).len(), 2);
        let error = refusal(PurlList, "pkg:npm/a@1\nnpm/b\n");
        assert!(
            error.starts_with("x:2: \"npm/b\" is no package URL"),
            "{error}"
        );
    }

    #[test]
    fn a_comment_behind_a_package_is_no_part_of_it() {
        let text = "pkg:npm/a@1.0.0 # trailing\n\t# of its own\npkg:golang/e.org/b@v1#cmd/x\t#y\n";
        let expected = ["pkg:npm/a@1.0.0 :1", "pkg:golang/e.org/b@v1#cmd/x :3"];
        assert_eq!(lines(&found(PurlList, text)), expected);
    }

    #[test]
    fn a_line_has_one_package() {
        for line in [
            "pkg:npm/a@1 pkg:npm/b@1",
            "pkg:npm/a@1\tpkg:npm/b@1",
            "pkg:npm/a@1,pkg:npm/b@1",
            "pkg:npm/a@1, pkg:npm/b@1 # both",
            "pkg:npm/a@1;PKG:npm/b@1",
            "pkg:npm/a@1|pkg:npm/b@1",
            "pkg:npm/a@1 direct",
        ] {
            let error = refusal(PurlList, &format!("\n{line}\n"));
            assert!(error.starts_with("x:2: \"pkg:npm/a@1"), "{error}");
            assert!(error.contains("one a line"), "{error}");
        }
        let one = "pkg:generic/a,b@1?download_url=https://e.org/x,y";
        assert_eq!(found(PurlList, one).list.len(), 1);
    }
}
