//! `cargo xtask renumber`: new numbers for migrations that two branches have numbered alike.
//!
//! It works on the files as they are: a project in which a number is taken twice is refused by everything else.

mod applied;
mod moves;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use migrations::{Error, Problem, Project, SourceFile};
use serde_json::json;

use self::applied::{Looked, look};
use self::moves::{Move, Named, Stays, Unclear, mended, named, of_app};
use crate::{
    checkout::Checkout,
    database::safety::Destruction,
    files::{
        edits::{self, Edit},
        git::Git,
    },
    terminal::{exit::Stop, format::Format, output, shell::shell_word},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask renumber                     after a merge or rebase: every number that is taken twice
  cargo xtask renumber --plan              only show what it would do
  cargo xtask renumber --base develop      where others start from another branch
  cargo xtask renumber --keep 0003_add_x   where neither is on that branch

The migrations that are not on the base branch get the next free numbers of their app, in the order that they have. Both files of each are renamed, and heads that name them are mended.

Exit code 4: refused, since it is not clear which of them has the number rightly, or since one of them is applied to the development database. Other databases are not looked at.")]
pub(crate) struct Args {
    /// Only this app
    app: Option<String>,
    /// The branch that others start from [default: that of origin/HEAD, else main, else master]
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// This one keeps its number, wherever it is; may be repeated
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Show what would be done; write nothing
    #[arg(long)]
    plan: bool,
    /// Renumber what is applied to this database, which then has to be made anew
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is to be done, and what the files will be then.
struct Plan {
    base: String,
    moves: Vec<Move>,
    /// Paths as people type them, of files in which a head is mended.
    mended: Vec<String>,
    edits: Vec<Edit>,
    /// Problems that are left to another app.
    left: Vec<Problem>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let files = SourceFile::read_folder(&checkout.migrations())?;
        let bare = bare(&files)?;
        if let Some(app) = &self.app {
            bare.app(app)?;
        }
        let all = named(&files, |_| false);
        let alike = |one: &Named, other: &Named| one.id.app == other.id.app && one.number == other.number;
        let taken_twice = |one: &Named| all.iter().filter(|other| alike(one, other)).count() > 1;
        if !all.iter().any(|one| self.wants(&one.id.app) && taken_twice(one)) {
            self.report(None, None);
            return Ok(());
        }
        let plan = self.plan(checkout, &files, &bare)?;
        let looked = look(checkout, &bare, &files, &plan.moves).await?;
        self.may_renumber(&looked)?;
        if !self.plan {
            edits::apply(&plan.edits)?;
        }
        self.report(Some(&plan), Some(&looked));
        Ok(())
    }

    fn wants(&self, app: &str) -> bool {
        self.app.as_deref().is_none_or(|wanted| wanted == app)
    }

    fn plan(&self, checkout: &Checkout, files: &[SourceFile], bare: &Project) -> anyhow::Result<Plan> {
        let git = Git::new(&checkout.root)?;
        let base = git.base(self.base.as_deref())?;
        let on_base = git.files(&base, "migrations")?;
        let is_on_base = |path: &str| on_base.contains(&format!("migrations/{path}"));
        let mut all = named(files, is_on_base);
        all.retain(|named| self.wants(&named.id.app));
        for keep in &self.keep {
            kept(&mut all, keep)?.stays = Stays::Told;
        }
        let (mut moves, mut unclear) = (Vec::new(), Vec::new());
        for app in &bare.apps {
            let of_this: Vec<Named> = all.iter().filter(|named| named.id.app == app.name).cloned().collect();
            match of_app(&of_this) {
                Ok(more) => moves.extend(more),
                Err(more) => unclear.extend(more),
            }
        }
        if !unclear.is_empty() {
            return Err(Stop::Refused(told(&unclear, &base)).into());
        }

        let (mut after, mut edits, mut mended_paths) = (files.to_vec(), Vec::new(), Vec::new());
        // From the last: its new name may be the old one of the next.
        for Move { from, to } in moves.iter().rev() {
            for ending in ["up.sql", "down.sql"] {
                let (old, new) = (format!("{from}.{ending}"), format!("{to}.{ending}"));
                let Some(file) = after.iter_mut().find(|file| file.path == old) else { continue };
                file.path.clone_from(&new);
                let path = |path: &str| checkout.migrations().join(path);
                edits.push(Edit::Rename { from: path(&old), to: path(&new) });
            }
        }
        for (file, before) in after.iter_mut().zip(files) {
            // What is on the base branch is never edited.
            let Some(old) = file.text.clone().filter(|_| !is_on_base(&before.path)) else { continue };
            if !file.path.ends_with(".sql") {
                continue;
            }
            let Some(new) = mended(&old, &moves) else { continue };
            file.text = Some(new.clone());
            mended_paths.push(format!("migrations/{}", file.path));
            edits.push(Edit::Rewrite { path: checkout.migrations().join(&file.path), old, new });
        }
        let left = match Project::from_files("migrations", after) {
            Ok(_) => Vec::new(),
            Err(Error::Files(left))
                if self.app.is_some()
                    && left.iter().all(|it| matches!(it, Problem::DuplicateNumber { .. })) =>
            {
                left
            }
            Err(error) => {
                return Err(error).context("renumbered, the files would still not be in order");
            }
        };
        Ok(Plan { base, moves, mended: mended_paths, edits, left })
    }

    /// Refuses to give another name to what a database has applied.
    fn may_renumber(&self, looked: &Looked) -> anyhow::Result<()> {
        let Looked::At { database, applied } = looked else { return Ok(()) };
        let Some(first) = applied.first() else { return Ok(()) };
        let names: Vec<String> = applied.iter().map(ToString::to_string).collect();
        let what = format!(
            "nothing was touched\n  \
             revert it where the files are in order, and merge again: git merge --abort, or git switch --detach ORIG_HEAD;\n  \
             there: cargo xtask migrate {} {}",
            first.app,
            before(&first.name),
        );
        let again = format!(
            "or give that database up: cargo xtask renumber --confirm {}, then cargo xtask db-reset",
            shell_word(database)
        );
        let destruction =
            Destruction { target: database, what: &what, confirmed: self.confirm.as_deref(), again };
        destruction
            .require_confirmation(&format!("applied to database `{database}` already: {}", names.join(", ")))
    }

    fn report(&self, plan: Option<&Plan>, looked: Option<&Looked>) {
        let moves = plan.map_or(&[][..], |plan| &plan.moves);
        let mended = plan.map_or(&[][..], |plan| &plan.mended);
        if self.format == Format::Json {
            let renamed = moves
                .iter()
                .map(|Move { from, to }| json!({ "from": from.to_string(), "to": to.to_string() }));
            let (database, not_looked) = match looked {
                Some(Looked::At { database, .. }) => (Some(database), None),
                Some(Looked::Nowhere(why)) => (None, Some(why)),
                None => (None, None),
            };
            output::json(&json!({
                "base": plan.map(|plan| &plan.base), "renamed": renamed.collect::<Vec<_>>(), "mended": mended,
                "database": database, "not_looked": not_looked, "written": !self.plan && !moves.is_empty(),
            }));
            return;
        }
        let Some(plan) = plan else {
            output::line("no number is taken twice; nothing to do");
            return;
        };
        output::line(&format!("base       {}", plan.base));
        for Move { from, to } in moves {
            output::line(&format!("renumber   {from} → {}", to.name));
        }
        for path in mended {
            output::line(&format!("mend       {path}"));
        }
        match looked {
            Some(Looked::At { database, applied }) if applied.is_empty() => {
                output::line(&format!("looked     database `{database}`: none of them is applied there"));
            }
            Some(Looked::At { database, .. }) => {
                output::line(&format!("looked     database `{database}` has them applied, and is given up"));
            }
            Some(Looked::Nowhere(why)) => {
                output::line(&format!("not looked whether a database has them applied: {why}"));
            }
            None => {}
        }
        for problem in &plan.left {
            output::line(&format!("left       {problem}"));
        }
        if self.plan {
            output::line("\nnothing was written");
            return;
        }
        let given_up = matches!(looked, Some(Looked::At { applied, .. }) if !applied.is_empty());
        let verb = if given_up { "db-reset" } else { "migrate" };
        output::line(&format!(
            "\nthen: git add --all migrations && cargo xtask {verb} && cargo xtask verify"
        ));
    }
}

/// The apps and where their ledgers are, without migrations: those are what is wrong.
fn bare(files: &[SourceFile]) -> anyhow::Result<Project> {
    let others = files.iter().filter(|file| !file.path.ends_with(".sql")).cloned().collect();
    Ok(Project::from_files("migrations", others)?)
}

/// The migration that somebody means by `0003_add_x`, its beginning, or `app/0003_add_x`.
fn kept<'a>(all: &'a mut [Named], keep: &str) -> anyhow::Result<&'a mut Named> {
    let exactly = |named: &Named| named.id.to_string() == keep || named.id.name == keep;
    let begins = |named: &Named| !keep.is_empty() && named.id.name.starts_with(keep);
    let count = |means: &dyn Fn(&Named) -> bool| all.iter().filter(|named| means(named)).count();
    let means: &dyn Fn(&Named) -> bool = if count(&exactly) > 0 { &exactly } else { &begins };
    match count(means) {
        1 => {}
        0 => bail!(
            "no migration is called `{keep}`; nothing was touched\n  write its whole name: --keep app/0003_name"
        ),
        n => bail!(
            "{n} migrations are called `{keep}`; nothing was touched\n  write the app too: --keep app/0003_name"
        ),
    }
    let at = all.iter().position(means).unwrap_or_default();
    Ok(&mut all[at])
}

fn told(unclear: &[Unclear], base: &str) -> String {
    let lines: Vec<String> = unclear
        .iter()
        .map(|Unclear { ids, on_base }| {
            let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let where_they_are = if *on_base { "more than one is" } else { "none is" };
            format!("{}: {where_they_are} on {base}", names.join(", "))
        })
        .collect();
    format!(
        "it is not clear which of them has the number rightly; nothing was touched\n  {}\n  \
         say which one databases may have applied: cargo xtask renumber --keep {}\n  \
         or which branch others start from: --base BRANCH",
        lines.join("\n  "),
        unclear[0].ids[0]
    )
}

/// What to migrate to, to have this one taken back.
fn before(name: &str) -> String {
    match name[..4].parse::<i64>() {
        Ok(number) if number > 1 => format!("{:04}", number - 1),
        _ => "zero".to_owned(),
    }
}
