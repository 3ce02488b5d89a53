//! Proves new migrations before they are written: applied they make what the schema files say, and reverted they leave what
//! was there.

use anyhow::bail;
use catalogue::{Address, Catalogue};
use diff::{Change, Rename, Renames, Statement};
use migrations::{Error, MigrationId, Naming, Project, Report, Session, SourceFile, Target, schema::Reader};

use super::{draft::Draft, trial::Trial, whose::Whose};
use crate::database::{
    differences::{self, MADE, REVERTED},
    renaming,
};

/// Whether they are tried on rows too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Generated,
    None,
}

/// The files of a new migration.
pub(super) struct Written {
    pub(super) id: MigrationId,
    /// How they are named.
    pub(super) naming: Naming,
    pub(super) up: String,
    pub(super) down: String,
}

impl Written {
    /// The end of each file's path, and its text. An app without ways back gets no down file.
    pub(super) fn files(&self) -> impl Iterator<Item = (String, &str)> {
        let down = self.naming.down.map(|ending| (ending, self.down.as_str()));
        let files = [(self.naming.up, self.up.as_str())].into_iter().chain(down);
        files.map(|(ending, text)| (format!("{}{ending}", self.id.name), text))
    }
}

/// A database with the migrations that there are, and the files that they come from.
pub(super) struct Proof<'p> {
    pub(super) session: &'p mut Session,
    pub(super) reader: &'p mut Reader,
    /// All files, with the manifest as it will be.
    pub(super) files: &'p [SourceFile],
    pub(super) project: &'p Project,
    /// The schema before the renames.
    pub(super) original: Catalogue,
    /// The schemas of the ledgers.
    pub(super) ledgers: Vec<String>,
    /// The renames, which the first files make.
    pub(super) renames: Vec<Rename>,
    pub(super) rows: Rows,
}

impl Proof<'_> {
    /// Proves all, and returns their texts. `apps` are the apps whose changes are meant.
    pub(super) async fn prove(
        &mut self,
        whose: &Whose<'_>,
        apps: &[usize],
        drafts: &mut [Draft],
    ) -> anyhow::Result<Vec<Written>> {
        let mut project = self.project(drafts, &[])?;
        let order: Vec<MigrationId> = project.migrations.iter().map(|it| it.id.clone()).collect();
        drafts.sort_by_key(|draft| order.iter().position(|id| *id == draft.id));
        let (mut states, mut backs) = (vec![self.original.clone()], Vec::new());
        for at in 0..drafts.len() {
            let target = Target::Migration(drafts[at].id.clone());
            let mut ran = self.session.migrate(&project, &target, &mut |_| {}).await;
            if let (Err(Error::Failed(_)), false) = (&ran, drafts[at].is_alone()) {
                drafts[at].bodies_unchecked = true;
                project = self.project(drafts, &[])?;
                ran = self.session.migrate(&project, &target, &mut |_| {}).await;
            }
            ran.map_err(|error| anyhow::anyhow!("{}", unproven(&Report::new(&error).to_string())))?;
            states.push(self.reader.read().await?);
            backs.push(self.way_back(&drafts[at], &states[at..]).await?);
        }
        let reached = &states[states.len() - 1];
        let remaining = differences::real(&whose.to.schema, reached);
        let meant = |address: &Address| {
            let exists = whose.to.schema.get(address).is_some();
            apps.contains(&whose.owner(address, if exists { Change::Create } else { Change::Drop }))
        };
        let remaining: Vec<_> = remaining.into_iter().filter(|it| meant(&it.address)).collect();
        if !remaining.is_empty() {
            let lines = differences::lines(&whose.to.schema, reached, &remaining, MADE);
            bail!(unproven(&format!(
                "what they make is not what the schema files say\n{}",
                lines.join("\n")
            )));
        }

        let project = self.project(drafts, &written(drafts, &backs))?;
        for (at, draft) in drafts.iter().enumerate().rev() {
            self.revert(&project, &draft.id).await?;
            let lines = lines_after_revert(&states[at], &self.reader.read().await?);
            if !lines.is_empty() {
                let what = format!("the way back of {} does not restore the schema", draft.id);
                bail!(unproven(&format!("{what}\n{}", lines.join("\n"))));
            }
        }
        if self.rows == Rows::Generated {
            let renames = drafts.iter().map(|draft| draft.renames(&self.renames)).collect();
            let mut trial =
                Trial { session: self.session, project: &project, drafts, states: &states, renames };
            let findings = trial.run().await?;
            for (draft, findings) in drafts.iter_mut().zip(findings) {
                draft.findings = findings;
            }
        }
        // Their heads say what was found.
        Ok(written(drafts, &backs))
    }

    /// The statements that lead back from the state that a new migration made to the one before it.
    async fn way_back(&mut self, draft: &Draft, states: &[Catalogue]) -> anyhow::Result<Vec<Statement>> {
        let [before, after] = states else { bail!("a state was not read") };
        let renames = Renames::new(draft.renames(&self.renames)).reversed();
        let ledgers: Vec<&str> = self.ledgers.iter().map(String::as_str).collect();
        let conn = self.session.connection();
        let (after, mut statements) =
            renaming::renamed(conn, after.clone(), &ledgers, renames, before).await?;
        statements.extend(diff::diff(&after, before)?.statements);
        Ok(statements)
    }

    async fn revert(&mut self, project: &Project, id: &MigrationId) -> anyhow::Result<()> {
        let target = Target::before(project, id);
        let reverted = self.session.migrate(project, &target, &mut |_| {}).await;
        reverted.map_err(|error| anyhow::anyhow!("{}", unproven(&Report::new(&error).to_string())))?;
        Ok(())
    }

    /// The project with the new migrations; where the ways back are not known yet, they do nothing.
    fn project(&self, drafts: &[Draft], written: &[Written]) -> Result<Project, Error> {
        let mut files = self.files.to_vec();
        for (at, draft) in drafts.iter().enumerate() {
            let down = written.get(at).map_or("select 1;\n", |written| written.down.as_str());
            files.push(SourceFile::new(format!("{}{}", draft.id, draft.naming.up), draft.up()));
            files.push(SourceFile::new(format!("{}.down.sql", draft.id), down));
        }
        self.project.with_files(files)
    }
}

/// The files of drafts whose ways back are known.
fn written(drafts: &[Draft], backs: &[Vec<Statement>]) -> Vec<Written> {
    let written = |(draft, back): (&Draft, &Vec<Statement>)| Written {
        id: draft.id.clone(),
        naming: draft.naming,
        up: draft.up(),
        down: draft.down(back),
    };
    drafts.iter().zip(backs).map(written).collect()
}

fn lines_after_revert(before: &Catalogue, after: &Catalogue) -> Vec<String> {
    differences::real_lines(before, after, REVERTED)
}

/// A proof that failed, in words.
fn unproven(why: &str) -> String {
    let why = why.replace('\n', "\n  ");
    format!(
        "the new migrations could not be proven, and nothing was written\n  {why}\n  write this change by hand: cargo xtask makemigrations --empty APP --name NAME"
    )
}
