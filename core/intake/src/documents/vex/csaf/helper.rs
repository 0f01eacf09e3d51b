//! How a product is identified: `product_identification_helper` (CSAF 2.0, 3.1.3.3).

use super::super::super::subjects::all_digests;
use super::super::Named;
use super::super::product::OF_UNITS;
use super::module::package;
use super::tree::Tree;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::purl::Purl;

/// Most files of one product.
const FILES: usize = 100;

/// Which units of a product are meant, if not all: by what, and its value.
pub(super) fn units<'v>(
    product: &Node<'v, '_>,
) -> Result<Vec<(&'static str, &'v str)>, PredicateError> {
    let mut units = Vec::new();
    let Some(helper) = product.get("product_identification_helper") else {
        return Ok(units);
    };
    for key in OF_UNITS {
        let Some(list) = helper.get(key) else {
            continue;
        };
        let values = list.items()?.map(|value| value.text());
        let values = values.collect::<Result<Vec<&str>, _>>()?;
        // One that stands for all tells none apart.
        if !values.contains(&"*") {
            units.extend(values.into_iter().map(|value| (key, value)));
        }
    }
    Ok(units)
}

/// What is named, as far as what clears only these of it clears it: category and name of each.
pub(super) fn narrowed(named: &Named, narrow: &[(&str, &str)]) -> Named {
    let narrow = narrow.iter();
    narrow.fold(named.clone(), |named, (category, name)| {
        named.narrowed(category, name)
    })
}

impl Tree<'_> {
    /// A product by its name and its identification helper: `purl` in 2.0, `purls` in 2.1. Where
    /// the helper has digests of several files, it is each of these: a product with the digests of
    /// all would be none.
    pub(super) fn named(&mut self, product: &Node<'_, '_>) -> Result<Vec<Named>, PredicateError> {
        let mut named = Named {
            id: Some(product.need("product_id")?.text()?.to_owned()),
            name: Some(product.need("name")?.text()?.to_owned()),
            ..Named::default()
        };
        let Some(helper) = product.get("product_identification_helper") else {
            return Ok(vec![named]);
        };
        let mut purls: Vec<&str> = Vec::new();
        purls.extend(helper.optional_text("purl")?);
        if let Some(list) = helper.get("purls") {
            for purl in list.items()? {
                purls.push(purl.text()?);
            }
        }
        for text in purls {
            match Purl::canonicalize(text).map(package) {
                Ok(purl) if named.purls.contains(&purl) => {}
                Ok(purl) => named.purls.push(purl),
                Err(e) => self.notes.push(format!("{} is no purl: {e}", quoted(text))),
            }
        }
        named.cpe = helper.optional_text("cpe")?.map(str::to_owned);
        let Some(files) = helper.get("hashes") else {
            return Ok(vec![named]);
        };
        let mut all = Vec::new();
        for file in files.items()? {
            let hashes = file.need("file_hashes")?;
            let digests = all_digests(Some(hashes), "algorithm", "value");
            if digests.is_empty() {
                return Err(hashes.fault("holds no digest"));
            }
            if all.len() == FILES {
                return Err(files.fault(format!("holds more than {FILES} files")));
            }
            all.push(Named {
                digests,
                ..named.clone()
            });
        }
        Ok(if all.is_empty() { vec![named] } else { all })
    }
}
