//! What the `backend` program is made of: so far the schema that it brings along.

use migrations::{Error, Project, SourceFile};

/// Every file of the migrations folder, as it was when this program was built.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The migrations that this program brings along.
///
/// # Errors
/// As [`Project::load`]; never for a build whose tests ran.
pub fn migrations() -> Result<Project, Error> {
    let file =
        |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: Some((*text).to_owned()) };
    Project::from_files("migrations", FILES.iter().map(file).collect())
}
