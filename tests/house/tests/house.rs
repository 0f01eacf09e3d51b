//! The rules, held against this source tree. A failure lists every violation.

use assay_house::{
    Tree, Violation, circles, claims, closures, docs, links, modules::Modules, mutants, opened,
    promises, purity, sizes, templates,
};
use std::{fmt::Write as _, sync::LazyLock};

fn assert_none(found: &[Violation]) {
    let mut text = String::new();
    for one in found {
        _ = writeln!(text, "{one}");
    }
    assert!(found.is_empty(), "{} violations\n{text}", found.len());
}

/// The tree and its modules, read once for all tests.
static HOUSE: LazyLock<(Tree, Modules)> = LazyLock::new(|| {
    let tree = Tree::of_workspace();
    let modules = Modules::of(&tree);
    assert!(
        modules.files().len() > 100,
        "found only {} modules",
        modules.files().len()
    );
    (tree, modules)
});

#[test]
fn files_are_short() {
    assert_none(&sizes::long_files(&HOUSE.0));
}

#[test]
fn functions_are_short() {
    assert_none(&sizes::long_functions(&HOUSE.0));
}

#[test]
fn lines_are_short() {
    assert_none(&sizes::long_lines(&HOUSE.0));
}

#[test]
fn what_pages_are_filled_in_with_is_escaped() {
    assert_none(&templates::unescaped(&HOUSE.0));
}

#[test]
fn few_closures_are_bound_for_one_use() {
    assert_none(&closures::too_many(&HOUSE.0));
}

#[test]
fn files_import_each_other_in_small_circles_only() {
    let (_, modules) = &*HOUSE;
    assert_none(&circles::large_circles(modules));
}

#[test]
fn sections_that_are_cited_exist() {
    assert_none(&docs::citations(&HOUSE.0));
}

#[test]
fn paths_that_documents_name_exist() {
    assert_none(&docs::dead_paths(&HOUSE.0));
}

#[test]
fn paths_that_comments_name_exist() {
    assert_none(&docs::dead_paths_in_comments(&HOUSE.0));
}

#[test]
fn core_names_no_clock_file_socket_thread_or_terminal() {
    let (tree, _) = &*HOUSE;
    assert!(
        !purity::core_folders(tree).is_empty(),
        "there is no crate below core/"
    );
    assert_none(&purity::impurities(tree));
}

#[test]
fn files_are_opened_in_one_place() {
    let (tree, modules) = &*HOUSE;
    assert_none(&opened::by_themselves(tree, modules));
}

#[test]
fn core_links_only_crates_that_are_listed() {
    assert_none(&links::strangers_in_core(&HOUSE.0));
}

#[test]
fn nothing_is_linked_that_must_not_be() {
    assert_none(&links::never_linked(&HOUSE.0));
}

#[test]
fn no_product_asks_for_what_tests_need() {
    assert_none(&links::test_features(&HOUSE.0));
}

#[test]
fn predicate_types_are_written_by_their_kinds_only() {
    let (tree, modules) = &*HOUSE;
    assert_none(&claims::type_uris(tree, modules));
}

#[test]
fn predicates_are_parsed_by_their_kinds_only() {
    let (tree, modules) = &*HOUSE;
    assert_none(&claims::parsed_again(tree, modules));
}

#[test]
fn kinds_are_not_told_apart_by_name() {
    let (tree, modules) = &*HOUSE;
    assert_none(&claims::kind_names(tree, modules));
}

#[test]
fn kinds_are_not_told_apart_by_looking_them_up() {
    let (tree, modules) = &*HOUSE;
    assert_none(&claims::looks_up_types(tree, modules));
}

#[test]
fn the_design_lists_every_claim_type() {
    assert_none(&docs::kinds_without_a_row(&HOUSE.0));
}

#[test]
fn no_row_allows_what_nobody_does() {
    let (tree, modules) = &*HOUSE;
    assert_none(&claims::idle_rows(tree, modules));
    assert_none(&promises::idle_rows(tree, modules));
}

#[test]
fn one_more_touches_one_file_and_one_list() {
    let (tree, modules) = &*HOUSE;
    assert_none(&promises::broken(tree, modules));
}

#[test]
fn guards_that_are_listed_are_there() {
    assert_none(&mutants::gone(&HOUSE.0));
}
