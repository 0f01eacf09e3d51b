//! A plain list of package URLs, one a line; lines that begin with `#` are comments.

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
        let purl = line.trim();
        if purl.is_empty() || purl.starts_with('#') {
            continue;
        }
        if !Purl::begins(purl) {
            return Err(Fault::at(
                number,
                format!("{} is no package URL", quoted(purl)),
            ));
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
}
