use super::*;
use crate::json::parse;
use crate::limits::JSON_DEPTH;
use proptest::prelude::*;

fn tape(text: &str) -> Tape<'_> {
    Tape::parse(text, JSON_DEPTH).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn values_are_read_where_they_stand() {
    let tape = tape(r#" {"a":{"b":[1.50,-2e+3,{"d":"x\ty"},[],{}],"c":null},"t":true,"f":false} "#);
    let root = tape.root();
    let a = root.get("a").unwrap();
    let items: Vec<_> = a.get("b").unwrap().as_array().unwrap().collect();
    assert_eq!(items[0].as_number(), Some("1.50"));
    assert_eq!(items[1].as_number(), Some("-2e+3"));
    assert_eq!(items[2].get("d").unwrap().as_str(), Some("x\ty"));
    assert_eq!(items[3].as_array().unwrap().count(), 0);
    assert_eq!(items[4].as_object().unwrap().count(), 0);
    assert_eq!(items.len(), 5);
    assert!(a.get("c").unwrap().is_null() && !a.is_null());
    assert_eq!(root.get("t").unwrap().as_bool(), Some(true));
    assert_eq!(root.get("f").unwrap().as_bool(), Some(false));
    assert_eq!(root.get("f").unwrap().as_u64(), None);
    assert!(root.get("b").is_none() && items[0].get("b").is_none());
    assert_eq!(root.get("a").unwrap().as_str(), None);
    let keys: Vec<_> = root.as_object().unwrap().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "t", "f"]);
    let kinds = [root, items[3], items[0], root.get("t").unwrap()];
    let kinds = kinds.map(Part::kind);
    assert_eq!(kinds, ["an object", "an array", "a number", "a boolean"]);
}

#[test]
fn a_key_is_nothing_but_itself() {
    let tape = tape(r#"{"a":"x","ab":1,"a\"b":2,"\u0061c":3}"#);
    let root = tape.root();
    for (key, expected) in [
        ("ab", Some("1")),
        ("a\"b", Some("2")),
        ("ac", Some("3")),
        ("", None),
        ("b", None),
        ("a\\\"b", None),
        ("\\u0061c", None),
        // What stands behind a key in the text.
        ("a\":", None),
        ("a\":\"x", None),
    ] {
        assert_eq!(root.get(key).and_then(Part::as_number), expected, "{key}");
    }
}

#[test]
fn what_is_written_is_what_was_said() {
    let mut writer = TapeWriter::default();
    writer.object();
    writer.string("a\"");
    writer.array();
    writer.number(&Number("1.0".into()));
    writer.number(&Number("2".into()));
    writer.word(None);
    writer.word(Some(true));
    writer.string("");
    writer.end();
    writer.string("b");
    writer.word(Some(false));
    writer.end();
    let text = r#"{"a\"":[1.0,2,null,true,""],"b":false}"#;
    assert_eq!(writer.finish().root().to_value().to_json(), text);
    assert_eq!(tape(text).root().to_value().to_json(), text);
}

#[test]
fn a_text_that_is_too_long_for_its_places_is_refused() {
    // Zeros take no memory while nobody writes them.
    let text = String::from_utf8(vec![0; TEXT_BYTES]).unwrap();
    let error = Tape::parse(text, JSON_DEPTH).err().unwrap();
    assert!(
        error.reason.contains("longer than 536870912 bytes"),
        "{error}"
    );
}

/// What a text is read as by way of a tape, and without one.
fn both(text: &str) -> [Result<Value, JsonError>; 2] {
    let tape = Tape::parse(text, JSON_DEPTH).map(|tape| tape.root().to_value());
    [tape, parse(text.as_bytes())]
}

#[test]
fn a_key_that_stands_twice_is_refused_as_in_a_tree() {
    let members = |count: usize| (0..count).map(|n| format!("\"k{n}\": {{\"k0\": [{n}]}}"));
    for count in [1, 15, 16, 17, 18, 40] {
        let good: Vec<_> = members(count).collect();
        let [tape, tree] = both(&format!("[{{{}}}]", good.join(", ")));
        assert_eq!(tape, Ok(tree.unwrap()));
        // Of two keys that stand twice, and of one that is written in another way.
        for (key, more) in [
            ("k0", &[][..]),
            ("k0", &["\"k1\": 0", "\"k0\": 0"]),
            ("\\u006b0", &["\"\\u006b0\": 0"]),
        ] {
            let twin = format!("\n\"{key}\": null");
            let more = more.iter().map(|one| (*one).to_owned());
            let all: Vec<_> = members(count).chain([twin]).chain(more).collect();
            let [tape, tree] = both(&format!("[{{{}}}]", all.join(", ")));
            let error = tape.unwrap_err();
            assert_eq!(
                (error.line, error.column, error.path.as_str()),
                (2, 1, "$[0].k0")
            );
            assert_eq!(error, tree.unwrap_err());
        }
    }
}

proptest! {
    #[test]
    fn a_tape_is_read_as_a_tree_is(
        parts in prop::collection::vec(
            prop::sample::select(&[
                "{", "}", "[", "]", ",", ":", "\"a\":", "\"\\u0061\":", "\"b\": ", "\"\":", "0",
                "-1.5e3", "\"x\"", "\"\\n\"", "null", "true", "false", "\"", "\\", "ü", " ",
            ][..]),
            0..20,
        ),
    ) {
        let text = parts.concat();
        let [tape, tree] = both(&text);
        prop_assert_eq!(tape, tree, "{}", text);
    }

    #[test]
    fn a_tape_holds_what_a_tree_holds(
        text in prop_oneof![Just("0".to_owned()), Just("\"\\t\"".to_owned()), "\"[a-c]{0,3}\""]
            .prop_recursive(4, 60, 5, |inner| prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[{}]", items.join(", "))),
                prop::collection::vec(("[a-c\\\\]{0,2}", inner), 0..20).prop_map(|members| {
                    let members: Vec<_> = members
                        .iter()
                        .map(|(key, value)| format!("\"{}\":{value}", key.replace('\\', "\\\\")))
                        .collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]),
    ) {
        let [tape, tree] = both(&text);
        prop_assert_eq!(tape, tree, "{}", text);
    }
}
