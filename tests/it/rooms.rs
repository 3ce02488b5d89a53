//! The rooms of the code: no files of a package import each other in a circle, and no room imports what it may not.
//!
//! ARCHITECTURE.md draws the rooms. The tests read the imports from the sources (`imports`), so they cover every new file.

mod imports;

use std::collections::BTreeMap;

use self::imports::Imports;

/// The sources of a package of this workspace, by their paths below its `src`.
fn sources(package: &str) -> BTreeMap<String, String> {
    let source = format!("{package}/src/");
    let files = crate::tidy::files(&source, &[".rs"]).into_iter();
    files.map(|(path, text)| (path[source.len()..].to_owned(), text)).collect()
}

fn imports(sources: &[(&str, &str)]) -> Imports {
    Imports::read(&sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

#[test]
fn no_files_of_a_package_import_each_other_in_a_circle() {
    let packages = crate::tidy::folders();
    assert!(packages.len() >= 9, "{packages:?}");
    let circles = packages.iter().filter_map(|name| {
        let circle = Imports::read(&sources(name)).circle()?;
        Some(format!("{name}/src: {}", circle.join(" → ")))
    });
    let circles: Vec<String> = circles.collect();
    assert!(circles.is_empty(), "these files import each other in a circle:\n{}", circles.join("\n"));
}

#[test]
fn the_check_finds_a_circle_however_the_import_is_written() {
    let ways = [
        "use crate::b::B;",
        "use super::b::B;",
        "use super::*; fn f(_: B) {}",
        "use crate::{b::{self}}; fn f() { b::g() }",
        "fn f() { crate::b::g() }",
        "fn f() { println!(\"{}\", super::b::g()) }",
        "mod inner { fn f() { super::super::b::g() } }",
        // An item that another file re-exports belongs to the file that defines it.
        "use crate::exports::B;",
        "use crate::exports as other; fn f() { other::B::new() }",
    ];
    for way in ways {
        let files = [
            ("lib.rs", "mod a; mod b; mod exports; use b::B;"),
            ("a.rs", way),
            ("b.rs", "use crate::a; pub struct B; pub fn g() { a::f() }"),
            ("exports.rs", "pub use crate::b::B;"),
        ];
        let circle = imports(&files).circle();
        assert!(circle.is_some_and(|circle| circle.contains(&"b.rs".to_owned())), "{way}");
    }
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A;"),
        ("a.rs", "mod c; pub struct A; fn f() { c::f(); std::fs::read(\"\"); }"),
        ("a/c.rs", "use crate::b::B; pub fn f() {}"),
        ("b.rs", "pub struct B;"),
    ];
    assert_eq!(imports(&files).circle(), None);
}

/// Lists the imports that break a rule of the rooms of `xtask/src`, which ARCHITECTURE.md states.
fn broken(imports: &Imports) -> Vec<String> {
    let libraries = crate::tidy::libraries();
    assert!(libraries.len() >= 9, "{libraries:?}");
    let room = |file: &str| file.split(['/', '.']).next().unwrap_or_default().to_owned();
    let below = |file: &str| -> Option<String> {
        let rest = file.strip_prefix("verbs/")?;
        rest.split(['/', '.']).next().map(str::to_owned)
    };
    let mut broken = Vec::new();
    for (from, to) in imports.edges() {
        let never: &[&str] = match room(from).as_str() {
            "server" => &["database", "catalogue", "throwaway", "rows", "verbs"],
            "database" | "catalogue" => &["throwaway", "rows", "verbs"],
            "picture" | "files" | "helpers" => {
                &["server", "database", "catalogue", "throwaway", "rows", "verbs"]
            }
            "checkout" | "host" => &[
                "picture",
                "files",
                "helpers",
                "server",
                "database",
                "catalogue",
                "throwaway",
                "rows",
                "verbs",
            ],
            "rows" | "throwaway" => &["verbs"],
            _ => &[],
        };
        if never.contains(&room(to).as_str()) {
            broken.push(format!("{from} imports {to}, which is above it"));
        }
        if room(to) == "cli" && room(from) != "cli" && from != "lib.rs" {
            broken.push(format!("{from} imports cli.rs, and only lib.rs may"));
        }
        if let (Some(verb), Some(other)) = (below(from), below(to))
            && verb != other
        {
            broken.push(format!("the verb {from} imports the verb {to}"));
        }
        if room(from) == "terminal" && room(to) != "terminal" {
            broken.push(format!("{from} imports {to}, and terminal imports nothing of this workspace"));
        }
    }
    for (from, package) in imports.outside() {
        if room(from) == "terminal" && libraries.contains(package) {
            broken.push(format!(
                "{from} imports the package {package}, and terminal imports nothing of this workspace"
            ));
        }
    }
    broken
}

#[test]
fn no_room_of_xtask_imports_what_is_above_it() {
    let imports = Imports::read(&sources("xtask"));
    assert!(imports.edges().len() > 200, "{}", imports.edges().len());
    let broken = broken(&imports);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_check_finds_every_import_upward() {
    let rules = [
        ("verbs/a.rs", "use crate::cli::C;", "only lib.rs may"),
        ("verbs/a.rs", "use crate::verbs::b::B;", "the verb verbs/a.rs imports the verb verbs/b.rs"),
        ("verbs/a.rs", "use crate::verbs::c::deep::D;", "imports the verb verbs/c/deep.rs"),
        ("server.rs", "use crate::database::D;", "above it"),
        ("server.rs", "use crate::throwaway::D;", "above it"),
        ("server.rs", "use crate::rows::D;", "above it"),
        ("server.rs", "use crate::verbs::b::B;", "above it"),
        ("database.rs", "fn f() { crate::throwaway::f() }", "above it"),
        ("database.rs", "use crate::rows::D;", "above it"),
        ("database.rs", "use crate::verbs::b::B;", "above it"),
        ("picture/erd.rs", "use crate::database::D;", "above it"),
        ("picture/erd.rs", "fn f() { crate::throwaway::f() }", "above it"),
        ("picture/erd.rs", "use crate::verbs::b::B;", "above it"),
        ("terminal.rs", "use crate::checkout::D;", "nothing of this workspace"),
        ("terminal.rs", "use migrations::Error;", "nothing of this workspace"),
        ("terminal.rs", "fn f() { ::migrations::chain() }", "nothing of this workspace"),
    ];
    let whole = [
        (
            "lib.rs",
            "mod checkout; mod cli; mod database; mod picture; mod rows; mod server; mod terminal; mod throwaway; mod verbs; use cli::C;",
        ),
        ("verbs.rs", "pub mod a; pub mod b; pub mod c;"),
        ("verbs/a.rs", "use crate::rows::D;"),
        ("verbs/b.rs", "pub struct B;"),
        ("verbs/c.rs", "pub mod deep; use deep::D;"),
        ("verbs/c/deep.rs", "pub struct D;"),
        ("cli.rs", "pub struct C; use crate::verbs::{a, b};"),
        ("checkout.rs", "pub struct D;"),
        ("database.rs", "pub struct D; use crate::server::S;"),
        ("picture.rs", "pub mod erd;"),
        ("picture/erd.rs", "use crate::terminal;"),
        ("rows.rs", "pub struct D; use crate::database;"),
        ("server.rs", "pub struct S; use crate::terminal;"),
        ("terminal.rs", ""),
        ("throwaway.rs", "pub struct D; pub fn f() {}"),
    ];
    let nothing = broken(&imports(&whole));
    assert!(nothing.is_empty(), "{nothing:?}");
    for (file, line, said) in rules {
        let changed: Vec<_> = whole
            .iter()
            .map(|(path, text)| {
                (*path, if *path == file { format!("{text}\n{line}") } else { (*text).to_owned() })
            })
            .collect();
        let changed: Vec<_> = changed.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let broken = broken(&imports(&changed));
        assert!(broken.len() == 1 && broken[0].contains(said), "{file}: {line}: {broken:?}");
    }
}

#[test]
fn the_program_is_ten_lines_over_the_library() {
    let main = &sources("xtask")["main.rs"];
    assert!(main.lines().count() <= 10, "{main}");
    assert!(main.contains("xtask::main(") && !main.contains("mod "), "{main}");
}
