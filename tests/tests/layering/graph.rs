//! Which file of a crate uses which: by its `use` lines, by paths in its code, and by macros.

use crate::source::{Source, Token, matching, sources};
use std::collections::{BTreeMap, BTreeSet};

/// A crate: its files, and the arrows between them.
pub struct Graph {
    /// Relative to the crate's `src`, without `.rs`: `region/slot`, `region/mod`.
    pub files: Vec<String>,
    /// From, to, and the names that tie them.
    pub arrows: BTreeMap<(usize, usize), BTreeSet<String>>,
}

struct Module {
    path: Vec<String>,
    source: Source,
    /// What `pub use` makes known under another path: name and path; `*` for all of a module.
    exports: Vec<(String, Vec<String>)>,
}

impl Module {
    fn macros(&self) -> Vec<String> {
        let code = self.source.code();
        let rules = code.windows(3).filter(|at| at[0].is("macro_rules") && at[1].is("!"));
        rules.map(|at| at[2].text.clone()).collect()
    }
}

impl Graph {
    /// The crate whose sources are below `folder`.
    pub fn of(folder: &str) -> Graph {
        Graph::new(&format!("{folder}/"), sources(folder))
    }

    fn new(prefix: &str, sources: Vec<Source>) -> Graph {
        let mut modules: Vec<Module> = sources
            .into_iter()
            .filter(|source| !source.name.ends_with("/tests.rs"))
            .map(|source| {
                let name = source.name.strip_prefix(prefix).expect("below it");
                let mut path: Vec<String> =
                    name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
                if ["mod", "lib", "main"].contains(&path.last().expect("a name").as_str()) {
                    path.pop();
                }
                Module { path, source, exports: Vec::new() }
            })
            .collect();
        for at in 0..modules.len() {
            modules[at].exports = exports(&modules, &modules[at]);
        }
        let mut arrows: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for (from, module) in modules.iter().enumerate() {
            let paths = uses(module).into_iter().map(|used| used.path).chain(inline(module));
            for path in paths {
                let Some(absolute) = absolute(&modules, module, &path) else { continue };
                let to = resolve(&modules, &absolute, 0);
                if to != from {
                    let name = absolute.last().cloned().unwrap_or_default();
                    arrows.entry((from, to)).or_default().insert(name);
                }
            }
        }
        by_macros(&modules, &mut arrows);
        let name = |module: &Module| {
            let name = module.source.name.strip_prefix(prefix).expect("below it");
            name.trim_end_matches(".rs").to_owned()
        };
        Graph { files: modules.iter().map(name).collect(), arrows }
    }

    /// The circles: sets of files each of which reaches each other, biggest first.
    pub fn circles(&self) -> Vec<Vec<usize>> {
        let count = self.files.len();
        let mut reaches = vec![vec![false; count]; count];
        for &(from, to) in self.arrows.keys() {
            reaches[from][to] = true;
        }
        for via in 0..count {
            let further = reaches[via].clone();
            for from in reaches.iter_mut().filter(|from| from[via]) {
                from.iter_mut().zip(&further).for_each(|(to, further)| *to |= further);
            }
        }
        let mut circles = Vec::new();
        let mut seen = vec![false; count];
        for first in 0..count {
            if !seen[first] && reaches[first][first] {
                let circle: Vec<usize> =
                    (0..count).filter(|&to| reaches[first][to] && reaches[to][first]).collect();
                circle.iter().for_each(|&file| seen[file] = true);
                circles.push(circle);
            }
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    /// `from → to: names`.
    pub fn describe(&self, arrow: (usize, usize)) -> String {
        let names: Vec<&str> = self.arrows[&arrow].iter().map(String::as_str).collect();
        format!("{} → {}: {}", self.files[arrow.0], self.files[arrow.1], names.join(", "))
    }
}

struct Used {
    public: bool,
    path: Vec<String>,
    name: String,
}

/// All paths of `use` items, one for each leaf of their trees.
fn uses(module: &Module) -> Vec<Used> {
    let code = module.source.code();
    let mut found = Vec::new();
    for at in (0..code.len()).filter(|&at| code[at].is("use")) {
        // Not `impl Trait + use<'a>`.
        if code.get(at + 1).is_some_and(|token| token.is("<")) {
            continue;
        }
        // `pub use`, `pub(crate) use`.
        let public = at > 0 && (code[at - 1].is("pub") || code[at - 1].is(")"));
        let mut end = at + 1;
        tree(&code, &mut end, &[], &mut |path, name| {
            found.push(Used { public, path: outside(path.to_vec(), code[at].inner), name });
        });
    }
    found
}

/// One tree of a `use` item: `a::b`, `a::{b, c::d}`, `a::*`, `a as b`.
fn tree(
    code: &[&Token],
    at: &mut usize,
    before: &[String],
    leaf: &mut impl FnMut(&[String], String),
) {
    let mut path = before.to_vec();
    while *at < code.len() {
        let token = code[*at];
        *at += 1;
        match token.text.as_str() {
            "::" => {}
            "{" => {
                while !code[*at].is("}") {
                    tree(code, at, &path, leaf);
                    if code[*at].is(",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "*" => return leaf(&path, "*".to_owned()),
            "self" if !path.is_empty() => {}
            _ if token.is_name() || token.is("$") => {
                if !token.is("$") {
                    path.push(token.text.clone());
                }
            }
            _ => unreachable!("in a use: {}", token.text),
        }
        let next = code[*at];
        if next.is("as") {
            let name = code[*at + 1].text.clone();
            *at += 2;
            return leaf(&path, name);
        }
        if next.is(",") || next.is("}") || next.is(";") {
            let name = path.last().cloned().unwrap_or_default();
            return leaf(&path, name);
        }
    }
}

fn exports(modules: &[Module], module: &Module) -> Vec<(String, Vec<String>)> {
    let public = uses(module).into_iter().filter(|used| used.public);
    public.filter_map(|used| Some((used.name, absolute(modules, module, &used.path)?))).collect()
}

/// Paths in the code, `a::b::c`, that are in no `use`.
fn inline(module: &Module) -> Vec<Vec<String>> {
    let code = module.source.code();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < code.len() {
        if code[at].is("use") {
            while at < code.len() && !code[at].is(";") {
                at += 1;
            }
        }
        // `pub(in crate::a)` uses nothing.
        if code[at].is("in") && at > 0 && code[at - 1].is("(") {
            at += matching(&code[at - 1..]);
        }
        let (mut path, inner) = (Vec::new(), code.get(at).map_or(0, |token| token.inner));
        while at < code.len() && code[at].is_name() {
            path.push(code[at].text.clone());
            if !code.get(at + 1).is_some_and(|token| token.is("::")) {
                break;
            }
            at += 2;
        }
        if path.len() > 1 {
            found.push(outside(path, inner));
        }
        at += 1;
    }
    found
}

/// A path as it would be written outside the modules that the file itself holds.
fn outside(mut path: Vec<String>, inner: usize) -> Vec<String> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    if supers > 0 && supers <= inner {
        path[0] = "self".to_owned();
        path.drain(1..supers);
    } else {
        path.drain(..supers.min(inner));
    }
    path
}

/// The path from the crate's root, if it is one into this crate.
fn absolute(modules: &[Module], module: &Module, path: &[String]) -> Option<Vec<String>> {
    let mut base = module.path.clone();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => (base, rest) = (Vec::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        child => {
            base.push(child.to_owned());
            if !modules.iter().any(|module| module.path == base) {
                return None;
            }
            rest = &rest[1..];
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The file that has the item at this path, through `pub use` where there is one.
fn resolve(modules: &[Module], path: &[String], depth: usize) -> usize {
    assert!(depth < 20, "pub use in a circle: {path:?}");
    let at = |path: &[String]| modules.iter().position(|module| module.path == path);
    let root = at(&[]).expect("the crate's root");
    let mut module = root;
    for (known, name) in path.iter().enumerate() {
        if let Some(child) = at(&path[..=known]) {
            module = child;
            continue;
        }
        let exports = &modules[module].exports;
        if let Some((_, target)) = exports.iter().find(|(export, _)| export == name) {
            let further = [target, &path[known + 1..]].concat();
            return resolve(modules, &further, depth + 1);
        }
        for (_, target) in exports.iter().filter(|(export, _)| export == "*") {
            let further = [target, &path[known..]].concat();
            let found = resolve(modules, &further, depth + 1);
            if modules[found].path != *target || defines(&modules[found], name) {
                return found;
            }
        }
        // A macro that is exported has its name at the root, wherever it is.
        let mut definers = modules.iter().enumerate().filter(|(_, at)| at.macros().contains(name));
        return definers.next().filter(|_| module == root).map_or(module, |(at, _)| at);
    }
    module
}

fn defines(module: &Module, name: &str) -> bool {
    const ITEMS: [&str; 9] =
        ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod"];
    let code = module.source.code();
    code.windows(2).any(|pair| ITEMS.contains(&pair[0].text.as_str()) && pair[1].is(name))
}

/// A macro that one file defines and others use by its bare name.
fn by_macros(modules: &[Module], arrows: &mut BTreeMap<(usize, usize), BTreeSet<String>>) {
    let mut definers: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, module) in modules.iter().enumerate() {
        for name in module.macros() {
            definers.entry(name).or_default().insert(at);
        }
    }
    for (from, module) in modules.iter().enumerate() {
        for found in module.source.code().windows(2).filter(|found| found[1].is("!")) {
            let Some(definers) = definers.get(&found[0].text) else { continue };
            if let (1, Some(&to)) = (definers.len(), definers.first())
                && to != from
            {
                arrows.entry((from, to)).or_default().insert(format!("{}!", found[0].text));
            }
        }
    }
}

#[test]
fn arrows_follow_uses_paths_macros_and_exports() {
    let file = |(name, text): (&str, &str)| Source::new(format!("c/{name}.rs"), text.to_owned());
    let files = [
        ("lib", "mod a; mod b; mod low; mod m; pub use b::deep::Thing;"),
        // Through the root, where another file's type has its name; and nothing in a comment.
        ("a", "use crate::{Thing as T, b::{self}}; // use crate::m::x;\nfn f(t: T) { b::g() }"),
        ("b/mod", "pub mod deep; pub fn g() { deep::h(\"crate::a::f\") }"),
        ("b/deep", "pub struct Thing; pub fn h(_: &str) { looked!() }"),
        ("low", "pub(in crate::a) fn l() {}\nmod inner { use super::l; fn k() { crate::m::n() } }"),
        (
            "m",
            "macro_rules! looked { () => {} } pub fn n() {}\n#[cfg(test)]\nmod tests { use crate::a; }",
        ),
    ];
    let graph = Graph::new("c/", files.map(file).into());
    let arrows: Vec<String> = graph.arrows.keys().map(|&arrow| graph.describe(arrow)).collect();
    let expected = [
        "lib → b/deep: Thing",
        "a → b/mod: b",
        "a → b/deep: Thing",
        "b/mod → b/deep: h",
        "b/deep → m: looked!",
        "low → m: n",
    ];
    assert_eq!(arrows, expected);
    assert!(graph.circles().is_empty());
}

#[test]
fn a_circle_is_all_that_reach_each_other() {
    let file = |(name, next): (&str, &str)| {
        Source::new(format!("c/{name}.rs"), format!("use crate::{next}::x;"))
    };
    let files = [("lib", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("e", "a")];
    let graph = Graph::new("c/", files.map(file).into());
    assert_eq!(graph.circles(), [vec![1, 2, 3, 4]]);
}
