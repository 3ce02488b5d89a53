//! Carries the migrations inside the program, so that a deploy needs no source tree.

use std::{env, fmt::Write, fs, io, path::Path};

fn main() -> io::Result<()> {
    let here = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let migrations =
        Path::new(&here).parent().unwrap_or(Path::new("..")).join("migrations").canonicalize()?;
    let mut list = String::from("&[\n");
    include(&migrations, "apps.toml", &mut list);
    for app in names(&migrations)? {
        // The runner's own source and the pictures of the schema are no apps.
        if ["src", "docs"].contains(&app.as_str()) || !migrations.join(&app).is_dir() {
            continue;
        }
        for file in names(&migrations.join(&app))? {
            // What is neither is none of the project's business, as a file manager's own.
            if file.starts_with('.') || !(file.ends_with(".sql") || file == "sqlx.toml") {
                continue;
            }
            include(&migrations, &format!("{app}/{file}"), &mut list);
        }
        println!("cargo::rerun-if-changed={}", migrations.join(&app).display());
    }
    list.push_str("]\n");
    println!("cargo::rerun-if-changed={}", migrations.display());
    // What the checked queries are checked against; their macros can't tell cargo so.
    println!("cargo::rerun-if-changed={}", migrations.with_file_name(".sqlx").display());
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("migrations.rs"), list)
}

fn include(folder: &Path, path: &str, list: &mut String) {
    // Writing to a string does not fail.
    let _ = writeln!(list, "    ({path:?}, include_str!({:?})),", folder.join(path).display().to_string());
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = entries.collect::<io::Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}
