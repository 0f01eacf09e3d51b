//! From a path to the file that defines what it names.

use super::{Modules, Name, Path, Reference};

/// What a path leads to.
#[derive(Clone, Copy)]
enum Found {
    Module(usize),
    /// An item of this module.
    Item(usize),
}

/// Aliases that are being followed, so that one that leads back to itself ends.
type Following = Vec<(usize, String)>;

impl Modules {
    /// What [`Modules::references`] returns.
    pub(super) fn find_references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        for (at, module) in self.modules.iter().enumerate() {
            for one in module.uses.iter().filter(|one| !one.glob) {
                // Naming a module gives its paths a beginning; what matters is what they go on to.
                if let Some(Found::Item(to)) = self.resolve(at, &one.path.segments) {
                    self.add_reference(&mut found, at, to, &one.path, one.reexport);
                }
            }
            for path in &module.code {
                if (path.segments.len() > 1 || self.may_come_from_elsewhere(at, &path.segments[0]))
                    && let Some(Found::Item(to)) = self.resolve(at, &path.segments)
                {
                    self.add_reference(&mut found, at, to, path, false);
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn add_reference(
        &self,
        found: &mut Vec<Reference>,
        from: usize,
        to: usize,
        path: &Path,
        reexport: bool,
    ) {
        let (source, target) = (&self.modules[from].file, &self.modules[to].file);
        if source != target {
            found.push(Reference {
                from: source.clone(),
                line: path.line,
                to: target.clone(),
                path: path.segments.join("::"),
                reexport,
                same_crate: self.root(from) == self.root(to),
            });
        }
    }

    /// Whether a single name counts as a reference: a private import was counted where it stands,
    /// but a re-export is one only if the code of its own file uses it, and `*` names nothing.
    fn may_come_from_elsewhere(&self, module: usize, name: &str) -> bool {
        let module = &self.modules[module];
        match module.names.get(name) {
            Some(names) => names
                .iter()
                .any(|name| matches!(name, Name::Alias(_, true))),
            None => !module.globs.is_empty(),
        }
    }

    fn root(&self, mut module: usize) -> usize {
        while let Some(parent) = self.modules[module].parent {
            module = parent;
        }
        module
    }

    fn resolve(&self, scope: usize, path: &[String]) -> Option<Found> {
        self.follow(scope, path, &mut Vec::new())
    }

    fn follow(&self, scope: usize, path: &[String], following: &mut Following) -> Option<Found> {
        let mut at = 0;
        let mut here = scope;
        while let Some(step) = path.get(at) {
            here = match step.as_str() {
                "crate" if at == 0 => self.root(scope),
                "self" if at == 0 => scope,
                "super" => self.modules[here].parent?,
                _ => break,
            };
            at += 1;
        }
        let mut found = Found::Module(here);
        while let (Found::Module(module), Some(name)) = (found, path.get(at)) {
            let more = at + 1 < path.len();
            found = match self.member(module, name, more, following) {
                Some(found) => found,
                None if at == 0 => Found::Module(*self.libraries.get(name)?),
                // A macro made it.
                None => Found::Item(module),
            };
            at += 1;
        }
        Some(found)
    }

    /// What `name` is in `module`. If the path goes on, a module is preferred to an item.
    fn member(
        &self,
        module: usize,
        name: &str,
        more: bool,
        following: &mut Following,
    ) -> Option<Found> {
        let mut best = None;
        for what in self.modules[module].names.get(name).into_iter().flatten() {
            let found = match what {
                Name::Item => Some(Found::Item(module)),
                Name::Module(child) => Some(Found::Module(*child)),
                Name::Alias(path, _) => self.alias(module, name, path, following),
            };
            let is_better = match found {
                Some(Found::Module(_)) => more || best.is_none(),
                Some(Found::Item(_)) => !more || best.is_none(),
                None => false,
            };
            if is_better {
                best = found;
            }
        }
        best.or_else(|| self.through_globs(module, name, more, following))
    }

    fn alias(
        &self,
        module: usize,
        name: &str,
        path: &[String],
        following: &mut Following,
    ) -> Option<Found> {
        let this = (module, name.to_owned());
        if following.contains(&this) {
            return None;
        }
        following.push(this);
        let found = self.follow(module, path, following);
        following.pop();
        found
    }

    fn through_globs(
        &self,
        module: usize,
        name: &str,
        more: bool,
        following: &mut Following,
    ) -> Option<Found> {
        let this = (module, format!("{name} by *"));
        if following.contains(&this) {
            return None;
        }
        following.push(this);
        let globs = self.modules[module].globs.iter();
        let found =
            globs.filter_map(
                |glob| match self.follow(module, &glob.segments, following)? {
                    Found::Module(all) => self.member(all, name, more, following),
                    Found::Item(_) => None,
                },
            );
        let found = found.collect::<Vec<_>>().first().copied();
        following.pop();
        found
    }
}
