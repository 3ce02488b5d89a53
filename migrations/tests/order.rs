//! All migrations have one order, for any graph and any order of the files. This needs no server.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

use migrations::{Project, SourceFile};

/// A project of these apps, each with the apps that it depends on, and these migrations, each with the lines of its head.
fn project(apps: &[(&str, &[&str])], migrations: &[(&str, &[&str])]) -> (Project, Vec<SourceFile>) {
    let mut manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n".to_owned();
    let mut files = Vec::new();
    for (app, depends_on) in apps {
        manifest += &format!("[[app]]\nname = {app:?}\ndepends-on = {depends_on:?}\ntables = []\n");
        let ledger = format!("[migrate]\ncreate-schemas = [\"m\"]\ntable-name = \"m.{app}\"\n");
        files.push(SourceFile::new(format!("{app}/sqlx.toml"), ledger));
    }
    for (name, heads) in migrations {
        let text: String = heads.iter().map(|head| format!("-- {head}\n")).collect();
        files.push(SourceFile::new(format!("{name}.up.sql"), text));
        files.push(SourceFile::new(format!("{name}.down.sql"), ""));
    }
    files.push(SourceFile::new("apps.toml", manifest));
    (Project::from_files("migrations", files.clone()).unwrap(), files)
}

fn order(project: &Project) -> Vec<String> {
    project.migrations.iter().map(|migration| migration.id.to_string()).collect()
}

#[test]
fn ties_are_broken_by_the_manifests_order() {
    let migrations: &[(&str, &[&str])] =
        &[("a/0001_x", &[]), ("a/0002_y", &[]), ("b/0001_x", &[]), ("b/0002_y", &[])];
    let first = project(&[("a", &[]), ("b", &[])], migrations).0;
    assert_eq!(order(&first), ["a/0001_x", "a/0002_y", "b/0001_x", "b/0002_y"]);
    let second = project(&[("b", &[]), ("a", &[])], migrations).0;
    assert_eq!(order(&second), ["b/0001_x", "b/0002_y", "a/0001_x", "a/0002_y"]);
}

#[test]
fn heads_weave_apps_into_each_other() {
    let apps: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &[])];
    let woven = project(
        apps,
        &[
            ("a/0001_x", &["depends-on: b/0001_x"]),
            ("a/0002_y", &["depends-on: b/0002_y"]),
            ("b/0001_x", &[]),
            ("b/0002_y", &[]),
        ],
    )
    .0;
    assert_eq!(order(&woven), ["b/0001_x", "a/0001_x", "b/0002_y", "a/0002_y"]);
}

#[test]
fn a_migration_can_come_after_one_of_an_app_that_its_own_does_not_depend_on() {
    let apps: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"])];
    let ordered = project(
        apps,
        &[
            ("a/0001_x", &[]),
            ("a/0002_drop", &["after: b/0002_y"]),
            ("b/0001_x", &["depends-on: a/0001_x"]),
            ("b/0002_y", &[]),
        ],
    )
    .0;
    assert_eq!(order(&ordered), ["a/0001_x", "b/0001_x", "b/0002_y", "a/0002_drop"]);
}

/// A generator of numbers that are the same on every machine (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn any_graph_is_ordered_by_its_dependencies_and_always_alike() {
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let mut apps: Vec<(&str, &[&str])> =
            vec![("a", &[]), ("b", &["a"]), ("c", &["a", "b"]), ("d", &["a", "b", "c"])];
        // Heads name migrations of earlier apps only, so there is no circle; their number is random.
        let mut migrations: Vec<(String, Vec<String>)> = Vec::new();
        for (index, (app, _)) in apps.iter().enumerate() {
            let earlier: Vec<String> = migrations.iter().map(|(name, _)| name.clone()).collect();
            for number in 1..=numbers.below(6) + 1 {
                let heads = if index == 0 || earlier.is_empty() { 0 } else { numbers.below(3) };
                let mut head = || format!("depends-on: {}", earlier[numbers.below(earlier.len())]);
                let heads = (0..heads).map(|_| head()).collect();
                migrations.push((format!("{app}/{number:04}_x"), heads));
            }
        }
        let heads: Vec<Vec<&str>> =
            migrations.iter().map(|(_, heads)| heads.iter().map(String::as_str).collect()).collect();
        let listed: Vec<(&str, &[&str])> = migrations
            .iter()
            .zip(&heads)
            .map(|((name, _), heads)| (name.as_str(), heads.as_slice()))
            .collect();
        // The manifest lists the apps in any order; otherwise its order alone would be right.
        for index in (1..apps.len()).rev() {
            apps.swap(index, numbers.below(index + 1));
        }
        let (project, mut files) = project(&apps, &listed);
        let ordered = order(&project);
        let position = |name: &str| ordered.iter().position(|id| id == name).unwrap();
        assert_eq!(ordered.len(), migrations.len());
        for (name, heads) in &listed {
            for head in heads.iter().filter_map(|head| head.strip_prefix("depends-on: ")) {
                assert!(position(head) < position(name), "{head} comes after {name} in {ordered:?}");
            }
        }
        for app in apps.iter().map(|(app, _)| app) {
            let numbers: Vec<&String> = ordered.iter().filter(|id| id.starts_with(app)).collect();
            assert!(numbers.is_sorted(), "{numbers:?}");
        }
        for index in (1..files.len()).rev() {
            files.swap(index, numbers.below(index + 1));
        }
        assert_eq!(
            ordered,
            order(&Project::from_files("migrations", files).unwrap()),
            "with the files in another order"
        );
    }
}
