//! The job that runs `verify` and the tests, for a host of repositories.

use clap::ValueEnum;

use crate::{
    terminal::output::Steps,
    verbs::init::{host::Draft, repository::Repository},
};

/// Who runs the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Ci {
    /// GitHub: .github/workflows/database.yml
    Github,
    /// GitLab: .gitlab-ci.yml, or .gitlab/database.yml beside one that is there
    Gitlab,
}

const GITHUB: &str = include_str!("../../../host/ci/github.yml");
const GITLAB: &str = include_str!("../../../host/ci/gitlab.yml");
/// The one file that GitLab reads by itself.
const GITLAB_ONLY: &str = ".gitlab-ci.yml";
const GITLAB_BESIDE: &str = ".gitlab/database.yml";

impl Ci {
    /// Adds the file, unless it is there.
    pub(super) fn draft(self, repository: &Repository, draft: &mut Draft, steps: &mut Steps) {
        let is_there = |path: &str| repository.path(path).exists();
        let (path, text) = match self {
            Ci::Github => (".github/workflows/database.yml", GITHUB),
            Ci::Gitlab if !is_there(GITLAB_ONLY) => (GITLAB_ONLY, GITLAB),
            Ci::Gitlab => (GITLAB_BESIDE, GITLAB),
        };
        let is_complete =
            std::fs::read_to_string(repository.path(GITLAB_ONLY)).is_ok_and(|there| there == GITLAB);
        if is_there(path) || (self == Ci::Gitlab && is_complete) {
            return;
        }
        if path == GITLAB_BESIDE {
            steps.note(&format!(
                "{GITLAB_ONLY} was left alone; add this to it: include: [{{ local: {GITLAB_BESIDE} }}]"
            ));
        }
        draft.create(repository, path, text.to_owned());
    }
}
