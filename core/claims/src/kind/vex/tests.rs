use super::*;

const NEW: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/v","author":"A","version":1,
        "timestamp":"2026-01-01T00:00:00Z","statements":[
        {"vulnerability":{"name":"CVE-1"},"status":"not_affected","justification":"component_not_present","products":[
          {"@id":"pkg:cargo/a@1","subcomponents":[{"@id":"pkg:cargo/b"}]},
          {"identifiers":{"purl":"pkg:cargo/c@1"},"hashes":{"sha-256":"0000000000000000000000000000000000000000000000000000000000000000"}}]},
        {"vulnerability":{"name":"CVE-2"},"status":"affected","action_statement":"update","timestamp":"2026-01-02T00:00:00Z"}]}"#;

const OLD: &str = r#"{"@context":"https://openvex.dev/ns","@id":"https://e.org/v","author":"A","version":"1",
        "timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","products":["pkg:cargo/a@1"],"status":"fixed"}]}"#;

#[test]
fn a_document_is_read() {
    let read = |text: &str| Vex::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
    let new = NEW.replacen(
        r#"{"name":"CVE-1"}"#,
        r#"{"name":"CVE-1","aliases":["G-1",7]}"#,
        1,
    );
    let Vex {
        id,
        version,
        author,
        statements,
    } = read(&new);
    assert_eq!(
        (id.as_str(), version, author.as_str(), statements.len()),
        ("https://e.org/v", 1, "A", 2)
    );
    let of_version = |text: &str| read(&OLD.replacen(r#""version":"1","#, text, 1)).version;
    assert_eq!(
        [r#""version":"7","#, r#""version":8,"#, ""].map(of_version),
        [7, 8, 1]
    );
    assert_eq!(
        statements
            .iter()
            .map(|s| s.status.as_str())
            .collect::<Vec<_>>(),
        ["not_affected", "affected"]
    );
    assert!(
        statements[0].names("CVE-1") && statements[0].names("G-1") && !statements[0].names("CVE-2")
    );
    assert_eq!(
        statements[0].justification.as_deref(),
        Some("component_not_present")
    );
    let times: Vec<_> = statements
        .iter()
        .map(|s| s.timestamp.as_ref().unwrap().as_str().to_owned())
        .collect();
    assert_eq!(times, ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]);
    let digests: Vec<_> = statements[0]
        .products
        .iter()
        .map(|product| product.digests.len())
        .collect();
    assert_eq!((digests, statements[1].products.len()), (vec![0, 1], 0));
    let old = &read(OLD).statements[0];
    let covers = |purl: &str| old.products[0].covers(&Purl::parse_canonical(purl).unwrap());
    assert!(covers("pkg:cargo/a@1?x=y") && !covers("pkg:cargo/a@2") && !covers("pkg:cargo/a"));
    let any = Product {
        ids: vec!["https://e.org/a".into(), "pkg:cargo/a".into()],
        digests: vec![],
        parts: vec![],
    };
    assert!(any.covers(&Purl::parse_canonical("pkg:cargo/a@7").unwrap()));
    assert!(Vex::parse(&Value::Null).is_err());
}

#[test]
fn what_a_document_lacks_is_named() {
    let wrong = |text: &str| {
        let read = Vex::parse(&crate::json::parse(text.as_bytes()).unwrap());
        read.unwrap_err().path
    };
    let without = |text: &str, gone: &str| {
        let changed = text.replacen(gone, "", 1);
        assert_ne!(changed, text);
        wrong(&changed)
    };
    let (begin, end) = (NEW.find('[').unwrap() + 1, NEW.len() - 2);
    assert_eq!(without(NEW, &NEW[begin..end]), "$.predicate.statements");
    let first = "$.predicate.statements[0]";
    let time = r#""timestamp":"2026-01-01T00:00:00Z","#;
    assert_eq!(without(OLD, time), first);
    let reason = r#""justification":"component_not_present","#;
    assert_eq!(without(NEW, reason), first);
    let action = r#""action_statement":"update","#;
    assert_eq!(without(NEW, action), "$.predicate.statements[1]");
    let part = format!("{first}.products[0].subcomponents[0]");
    assert_eq!(without(NEW, r#""@id":"pkg:cargo/b""#), part);
    // A time of its own is enough for a statement.
    let dated = OLD.replacen(time, "", 1);
    let dated = dated.replacen(r#""status""#, &format!(r#"{time}"status""#), 1);
    assert!(Vex::parse(&crate::json::parse(dated.as_bytes()).unwrap()).is_ok());
}

#[test]
fn a_statement_is_about_its_products_and_those_of_which_nothing_can_be_told() {
    let statement = |products: &[(&str, &str)]| VexStatement {
        products: products
            .iter()
            .map(|(id, digest): &(&str, &str)| Product {
                ids: vec![(*id).to_owned()],
                digests: Some(*digest)
                    .filter(|hex| !hex.is_empty())
                    .map(|hex| ("sha256".into(), hex.into()))
                    .into_iter()
                    .collect(),
                parts: vec![],
            })
            .collect(),
        ..Vex::parse(&crate::json::parse(NEW.as_bytes()).unwrap())
            .unwrap()
            .statements
            .remove(0)
    };
    let a = Purl::parse_canonical("pkg:cargo/a@1").unwrap();
    let digests = [("sha256".to_owned(), "11".to_owned())];
    for (products, of_purl, of_digest) in [
        (vec![], true, true),
        (vec![("pkg:cargo/a@1", "")], true, true),
        (vec![("pkg:cargo/b@1", "")], false, true),
        (vec![("pkg:cargo/b@1", ""), ("pkg:cargo/a", "")], true, true),
        (vec![("urn:x", "")], true, true),
        (vec![("urn:x", "11")], true, true),
        (vec![("pkg:cargo/b@1", "11")], true, true),
        (vec![("pkg:cargo/b@1", "22")], false, false),
    ] {
        let statement = statement(&products);
        assert_eq!(
            statement.is_about(Some(&a), &digests),
            of_purl,
            "{products:?}"
        );
        assert_eq!(
            statement.is_about(None, &digests),
            of_digest,
            "{products:?}"
        );
    }
    let named = statement(&[("urn:x", ""), ("pkg:cargo/a", "11")]);
    assert_eq!(
        named.products.iter().map(Product::name).collect::<Vec<_>>(),
        ["urn:x", "pkg:cargo/a"]
    );
}

#[test]
fn a_statement_can_say_how_severe_it_is() {
    let severities = |stated: &str| {
        let text = OLD.replacen(
            r#""status""#,
            &format!(r#""severity":{stated},"status""#),
            1,
        );
        let document = Vex::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
        document.statements[0].severities.clone()
    };
    let one = ("database".to_owned(), "low".to_owned());
    let good = r#"{"method":"database","score":"low"}"#;
    for (stated, expected) in [
        (format!("[{good}]"), vec![one.clone()]),
        (format!(r#"[7,{good},{{"score":"low"}}]"#), vec![one]),
        ("[]".to_owned(), vec![]),
        (r#""low""#.to_owned(), vec![]),
    ] {
        assert_eq!(severities(&stated), expected, "{stated}");
    }
}

#[test]
fn a_product_has_its_parts() {
    let document = Vex::parse(&crate::json::parse(NEW.as_bytes()).unwrap()).unwrap();
    let mut parts = Vec::new();
    for product in &document.statements[0].products {
        parts.push(product.parts.iter().map(Product::name).collect::<Vec<_>>());
    }
    assert_eq!(parts, [vec!["pkg:cargo/b".to_owned()], vec![]]);
}

#[test]
fn the_parts_of_a_statement_are_those_of_its_products() {
    let parts = |products: &str, parts: &str| {
        let text = OLD.replacen(r#"["pkg:cargo/a@1"]"#, products, 1).replacen(
            r#""status""#,
            &format!(r#""subcomponents":{parts},"status""#),
            1,
        );
        let document = Vex::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
        let products = document.statements[0].products.iter();
        let shown = products.map(|one| {
            let parts: Vec<String> = one.parts.iter().map(Product::name).collect();
            format!("{} > {}", one.name(), parts.join(", "))
        });
        shown.collect::<Vec<_>>()
    };
    let (a, b) = (r#"["pkg:cargo/a@1"]"#, r#"["pkg:cargo/b@1"]"#);
    for (products, stated, expected) in [
        (a, b, &["pkg:cargo/a@1 > pkg:cargo/b@1"][..]),
        (
            a,
            r#"["pkg:cargo/b@1",{"@id":"pkg:cargo/c@1"}]"#,
            &["pkg:cargo/a@1 > pkg:cargo/b@1, pkg:cargo/c@1"],
        ),
        // Parts of its own are those of a product.
        (
            r#"[{"@id":"pkg:cargo/a@1","subcomponents":["pkg:cargo/d@1"]},"pkg:cargo/e@1"]"#,
            b,
            &[
                "pkg:cargo/a@1 > pkg:cargo/d@1",
                "pkg:cargo/e@1 > pkg:cargo/b@1",
            ],
        ),
        (a, "[]", &["pkg:cargo/a@1 > "]),
        (a, "null", &["pkg:cargo/a@1 > "]),
        // Of what the claim is about.
        ("[]", b, &[" > pkg:cargo/b@1"]),
        // What is no list, or no component, is a part all the same.
        (a, r#""pkg:cargo/b@1""#, &["pkg:cargo/a@1 > pkg:cargo/b@1"]),
    ] {
        assert_eq!(parts(products, stated), expected, "{products} {stated}");
    }
    let text = OLD.replacen(r#""status""#, r#""subcomponents":[7],"status""#, 1);
    let document = Vex::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        document.statements[0].products[0].parts,
        [Product::default()]
    );
    // Too many of both: nothing is said of the products as a whole.
    let list = |letter: char| {
        let names: Vec<String> = (0..64)
            .map(|i| format!(r#""pkg:cargo/{letter}{i}""#))
            .collect();
        format!("[{}]", names.join(","))
    };
    let many = parts(&list('a'), &list('b'));
    assert_eq!((many.len(), many[0].as_str()), (65, "pkg:cargo/a0 > "));
    assert!(many[64].starts_with(" > pkg:cargo/b0, "));
}
