//! Plans which migrations get new numbers, and which files have to be renamed and edited for that.

use std::path::PathBuf;

use anyhow::{Context, bail};
use migrations::{Error, Problem, Project, SourceFile};

use crate::{
    checkout::Checkout,
    files::{edits::Edit, git::Git},
    terminal::exit::Stop,
    verbs::renumber::moves::{
        Move, Numbered, Stays, Unclear, belongs_to, mend_head, new_numbers, numbered_migrations,
    },
};

/// What a person wants to be renumbered.
pub(super) struct Request<'r> {
    /// Only this app.
    pub(super) app: Option<&'r str>,
    /// The branch whose migrations keep their numbers.
    pub(super) base: Option<&'r str>,
    /// Migrations that keep their numbers wherever they are.
    pub(super) keep: &'r [String],
}

/// What to do with the files.
#[derive(Default)]
pub(super) struct Plan {
    /// The branch whose migrations keep their numbers; `None` if no number is taken twice.
    pub(super) base: Option<String>,
    pub(super) moves: Vec<Move>,
    /// The files whose head has to change, as people type their paths.
    pub(super) mended: Vec<String>,
    pub(super) edits: Vec<Edit>,
    /// The project as the files will describe it; `None` if they will still not be in order.
    pub(super) project: Option<Project>,
    /// Numbers that stay taken twice, in the apps outside the request.
    pub(super) left: Vec<Problem>,
}

impl Request<'_> {
    fn includes(&self, migration: &Numbered) -> bool {
        self.app.is_none_or(|app| app == migration.id.app)
    }

    /// Whether any number is taken twice.
    fn finds_duplicates(&self, files: &[SourceFile]) -> bool {
        let all = numbered_migrations(files, |_| false);
        let alike =
            |one: &Numbered, other: &Numbered| one.id.app == other.id.app && one.number == other.number;
        let is_taken_twice = |one: &Numbered| all.iter().filter(|other| alike(one, other)).count() > 1;
        all.iter().any(|one| self.includes(one) && is_taken_twice(one))
    }

    /// Makes a plan for the `files` of the migrations folder, whose manifest is `manifest`.
    pub(super) fn plan(
        &self,
        checkout: &Checkout,
        files: &[SourceFile],
        manifest: &Project,
    ) -> anyhow::Result<Plan> {
        if !self.finds_duplicates(files) {
            let project = manifest.with_files(files.to_vec()).ok();
            return Ok(Plan { project, ..Plan::default() });
        }
        let git = Git::new(&checkout.root)?;
        let base = git.base(self.base)?;
        let mut on_base = Vec::new();
        for app in &manifest.apps {
            let folder = format!("{}/", app.folder);
            let of_app = git.files(&base, &app.folder)?.into_iter();
            let names = of_app.filter_map(|path| Some(path.strip_prefix(&folder)?.to_owned()));
            on_base.extend(names.map(|name| format!("{}/{name}", app.name)));
        }
        let is_on_base = |path: &str| on_base.iter().any(|other| other == path);

        let moves = self.choose_numbers(numbered_migrations(files, is_on_base), manifest, &base)?;
        let mut after = files.to_vec();
        let in_checkout = |path: &str| checkout.root.join(shown(manifest, path));
        let mut edits = rename(&mut after, &moves, &in_checkout);
        let mut mended = Vec::new();
        for (file, before) in after.iter_mut().zip(files) {
            // Never edit a file of the base branch.
            if !is_on_base(&before.path)
                && let Some(edit) = mend(file, &moves, &in_checkout)
            {
                mended.push(shown(manifest, &file.path));
                edits.push(edit);
            }
        }
        let (project, left) = self.check(manifest, after)?;
        Ok(Plan { base: Some(base), moves, mended, edits, project, left })
    }

    /// New numbers, app by app. Refuses if it is not clear which migration keeps a number.
    fn choose_numbers(
        &self,
        mut all: Vec<Numbered>,
        manifest: &Project,
        base: &str,
    ) -> anyhow::Result<Vec<Move>> {
        all.retain(|migration| self.includes(migration));
        for keep in self.keep {
            find_kept(&mut all, keep)?.stays = Stays::Chosen;
        }
        let (mut moves, mut unclear) = (Vec::new(), Vec::new());
        for app in &manifest.apps {
            let of_app: Vec<Numbered> =
                all.iter().filter(|migration| migration.id.app == app.name).cloned().collect();
            match new_numbers(&of_app) {
                Ok(more) => moves.extend(more),
                Err(more) => unclear.extend(more),
            }
        }
        if unclear.is_empty() { Ok(moves) } else { Err(describe_unclear(&unclear, base).into()) }
    }

    /// Checks the files as they will be. Only numbers taken twice in other apps may remain.
    fn check(
        &self,
        manifest: &Project,
        after: Vec<SourceFile>,
    ) -> anyhow::Result<(Option<Project>, Vec<Problem>)> {
        let has_other_apps = self.app.is_some() || !manifest.others.is_empty();
        let is_duplicate = |problem: &Problem| matches!(problem, Problem::DuplicateNumber { .. });
        match manifest.with_files(after) {
            Ok(project) => Ok((Some(project), Vec::new())),
            Err(Error::Files(left)) if has_other_apps && left.iter().all(is_duplicate) => Ok((None, left)),
            Err(error) => Err(error).context("after renumbering, the files would still not be in order"),
        }
    }
}

/// Gives the files of the moved migrations their new paths.
fn rename(files: &mut [SourceFile], moves: &[Move], in_checkout: &dyn Fn(&str) -> PathBuf) -> Vec<Edit> {
    let mut edits = Vec::new();
    // From the last to the first, because a new name may be the old one of the next migration.
    for Move { from, to } in moves.iter().rev() {
        let old = from.to_string();
        for file in files.iter_mut().filter(|file| belongs_to(file, from)) {
            let new = format!("{to}{}", &file.path[old.len()..]);
            edits.push(Edit::Rename { from: in_checkout(&file.path), to: in_checkout(&new) });
            file.path = new;
        }
    }
    edits
}

/// The path of an app's file, as people type it.
fn shown(manifest: &Project, path: &str) -> String {
    let folder = path.split_once('/').and_then(|(app, name)| Some((&manifest.app(app).ok()?.folder, name)));
    folder.map_or_else(|| path.to_owned(), |(folder, name)| format!("{folder}/{name}"))
}

/// Writes the new names into the head of a file that has an old one.
fn mend(file: &mut SourceFile, moves: &[Move], in_checkout: &dyn Fn(&str) -> PathBuf) -> Option<Edit> {
    let old = file.text.clone().filter(|_| file.path.ends_with(".sql"))?;
    let new = mend_head(&old, moves)?;
    file.text = Some(new.clone());
    Some(Edit::Rewrite { path: in_checkout(&file.path), old, new })
}

/// Finds the migration that a person means by `app/0003_add_x`, `0003_add_x`, or its beginning.
fn find_kept<'a>(all: &'a mut [Numbered], keep: &str) -> anyhow::Result<&'a mut Numbered> {
    let equals = |migration: &Numbered| migration.id.to_string() == keep || migration.id.name == keep;
    let begins = |migration: &Numbered| !keep.is_empty() && migration.id.name.starts_with(keep);
    let count =
        |matches: &dyn Fn(&Numbered) -> bool| all.iter().filter(|migration| matches(migration)).count();
    let matches: &dyn Fn(&Numbered) -> bool = if count(&equals) > 0 { &equals } else { &begins };
    match count(matches) {
        1 => {}
        0 => bail!(
            "no migration is called `{keep}`; nothing was touched\n  write its whole name: --keep app/0003_name"
        ),
        n => bail!(
            "{n} migrations are called `{keep}`; nothing was touched\n  write the app too: --keep app/0003_name"
        ),
    }
    let at = all.iter().position(matches).unwrap_or_default();
    Ok(&mut all[at])
}

/// The refusal when it is not clear which migrations keep their numbers.
fn describe_unclear(unclear: &[Unclear], base: &str) -> Stop {
    let lines: Vec<String> = unclear
        .iter()
        .map(|Unclear { ids, on_base }| {
            let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let how_many = if *on_base { "more than one is" } else { "none is" };
            format!("{}: {how_many} on {base}", names.join(", "))
        })
        .collect();
    Stop::Refused(format!(
        "it is not clear which migration keeps the number; nothing was touched\n  {}\n  \
         name the one that databases may have applied: cargo xtask renumber --keep {}\n  \
         or the branch that others start from: --base BRANCH",
        lines.join("\n  "),
        unclear[0].ids[0]
    ))
}
