//! What pages are filled in with is escaped, all of it: askama escapes whatever no filter says is
//! safe, and whose type does not.

use crate::{Tree, Violation};

/// Where a template of a page has a filter, or another way to put in a text as it is, and where
/// the node says of a type that it needs no escaping.
pub fn unescaped(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        let is_template = path.starts_with("node/templates/");
        let is_source = path.starts_with("node/src/") && path.ends_with(".rs");
        for (at, line) in text.lines().enumerate() {
            let what = if is_template && (filtered(line) || line.contains("{% filter")) {
                "has a filter: what is filled in is escaped as it is"
            } else if is_template && !path.ends_with(".html") {
                "is not escaped: only what ends in .html is"
            } else if is_source
                && ["HtmlSafe", "escape = \""]
                    .iter()
                    .any(|it| line.contains(it))
            {
                "says that a text needs no escaping"
            } else {
                continue;
            };
            found.push(Violation::new(path, at + 1, what));
        }
    }
    found
}

/// Whether an expression that is filled in has a filter: `|` that is no `||`.
fn filtered(line: &str) -> bool {
    let expressions = line.split("{{").skip(1);
    let mut expressions = expressions.filter_map(|rest| rest.split("}}").next());
    expressions.any(|it| it.replace("||", "").contains('|'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        unescaped(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn what_is_not_escaped_is_caught() {
        let page = "node/templates/a.html";
        assert_eq!(
            found(page, "<p>{{ name }}</p>\n{% if a || b %}|{% endif %}"),
            0
        );
        for bad in [
            "<p>{{ name|safe }}</p>",
            "<p>{{ a }} {{ name | escape(\"none\") }}</p>",
            "{% filter safe %}{{ name }}{% endfilter %}",
        ] {
            assert_eq!(found(page, bad), 1, "{bad}");
        }
        assert_eq!(found("node/templates/a.txt", "{{ name }}"), 1);
        for bad in [
            "impl HtmlSafe for Name {}",
            "#[template(path = \"a\", escape = \"none\")]",
        ] {
            assert_eq!(found("node/src/page/a.rs", bad), 1, "{bad}");
        }
    }
}
