//! Endorsements of any shape.

use super::*;
use proptest::prelude::*;

/// Endorser, endorsed, scope, how often it may be handed on, and whether it is of an auditor.
type Edge = (usize, usize, usize, u32, bool);

/// The plainest search: who is reached, with how many steps left.
fn reached(edges: &[Edge], depth: u32, matching: [usize; 2]) -> Vec<(usize, u32)> {
    let mut reached = vec![(0_usize, depth)];
    for _ in 0..10 {
        for (from, to, scope, may_delegate, auditor) in edges {
            for (at, left) in reached.clone() {
                let step = at == *from && left > 0 && *auditor && matching.contains(scope);
                let next = (*to, left.saturating_sub(1).min(*may_delegate));
                if step && !reached.contains(&next) {
                    reached.push(next);
                }
            }
        }
    }
    reached
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever endorsements there are: a role for a package is had only if a path of valid
    /// endorsements of that role, all of whose scopes hold the package, leads from an anchor in as
    /// many steps as each on the path allows.
    #[test]
    fn no_graph_of_endorsements_widens_anything(
        edges in prop::collection::vec(
            (0_usize..5, 0_usize..5, 0_usize..3, 0_u32..4, any::<bool>()),
            0..14,
        ),
        depth in 0_u32..5,
    ) {
        const SCOPES: [&str; 3] = ["pkg:*", "pkg:cargo/*", "pkg:npm/*"];
        let mut world = World::new();
        let parties: Vec<Party> = (1..=5).map(|seed| world.register("p", &[seed], 1)).collect();
        for (from, to, scope, may_delegate, auditor) in &edges {
            let role = if *auditor { "auditor" } else { "scanner" };
            let said = endorsement(&parties[*to], role, &[SCOPES[*scope]], *may_delegate);
            world.endorse(&parties[*from], &said);
        }
        let anchors = [anchor(&parties[0], &[Role::Auditor], &["pkg:*"], depth)];
        let trust = Trust::judge(&world.claims);
        // Anybody has a role somewhere who has it for a package of one of the scopes, and an
        // endorser may lack it likewise.
        let anywhere = trust.roles_anywhere(&anchors, START_MS);
        let packages = ["pkg:cargo/a@1", "pkg:npm/a@1", "pkg:pypi/a@1"];
        let each = packages.map(|package| trust.roles(&anchors, Some(&purl(package)), START_MS));
        for party in &parties {
            let somewhere = each.iter().any(|roles| roles.has(&party.id, Role::Auditor));
            prop_assert_eq!(anywhere.has(&party.id, Role::Auditor), somewhere);
        }
        let lacks = |fault| {
            let no_role = EndorsementFault::EndorserLacksRole;
            [Some(no_role), Some(EndorsementFault::OtherPackages)].contains(&fault)
        };
        for judged in trust.claims() {
            let everywhere = each.iter().all(|roles| lacks(roles.fault(judged)));
            prop_assert_eq!(lacks(anywhere.fault(judged)), everywhere);
        }
        for (package, matching) in [("pkg:cargo/a@1", [0, 1]), ("pkg:npm/a@1", [0, 2])] {
            let reached = reached(&edges, depth, matching);
            let roles = trust.roles(&anchors, Some(&purl(package)), START_MS);
            for (i, party) in parties.iter().enumerate() {
                let is_reached = reached.iter().any(|(at, _)| *at == i);
                prop_assert_eq!(roles.has(&party.id, Role::Auditor), is_reached);
                prop_assert!(!roles.has(&party.id, Role::Scanner));
                for grant in roles.of(&party.id) {
                    prop_assert!(grant.chain.len() <= depth as usize);
                    let first = grant.chain.first();
                    prop_assert!(first.is_none_or(|link| link.endorser == parties[0].id));
                }
            }
        }
    }

    /// A scope ends where a segment of the purl ends, unless it says otherwise.
    #[test]
    fn scopes_respect_the_segments_of_purls(
        name in "[a-z][a-z0-9]{0,6}",
        more in "[a-z0-9-]{1,4}",
    ) {
        let covers = |scope: &str, package: &str| {
            crate::trust::roles::covers(&patterns(&[scope]), Some(&purl(package)))
        };
        let longer = format!("pkg:cargo/{name}{more}");
        let exact = format!("pkg:cargo/{name}");
        prop_assert!(covers(&exact, &exact) && !covers(&exact, &longer));
        let explicit = format!("pkg:cargo/{name}*");
        prop_assert!(covers(&explicit, &longer));
        let namespace = format!("pkg:npm/%40{name}/*");
        let inside = format!("pkg:npm/%40{name}/x@1");
        let outside = format!("pkg:npm/%40{name}{more}/x@1");
        prop_assert!(covers(&namespace, &inside));
        prop_assert!(!covers(&namespace, &outside));
        let other_type = format!("pkg:npm/{name}");
        prop_assert!(!covers("pkg:cargo/*", &other_type));
    }
}
