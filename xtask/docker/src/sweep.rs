//! Removes what killed commands left behind: test servers, and containers that were never started.

use testcontainers::bollard::models::ContainerSummaryStateEnum as State;
use xtask_protocol::docker::Removed;

use crate::{
    engine::{Engine, OWNER, Role},
    owner::{Owner, Verdict, judge, start_time},
};

pub(crate) async fn run(engine: &Engine) -> anyhow::Result<Removed> {
    let me = Owner::this_process();
    let mut removed = Vec::new();
    for found in engine.list(&[]).await? {
        // Once started, a development server outlives the process that created it.
        let fleeting = found.role != Role::Dev || found.state == State::CREATED;
        let dead = judge(found.label(OWNER), found.age, &me, start_time) == Verdict::Dead;
        if fleeting && dead && engine.remove(&found.id).await? {
            removed.push(found.name);
        }
    }
    Ok(Removed { removed })
}
