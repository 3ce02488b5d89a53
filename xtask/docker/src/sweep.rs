//! Removes what commands that were killed have left: test servers, and containers that were never started.

use testcontainers::bollard::models::ContainerSummaryStateEnum as State;

use crate::{
    engine::{Engine, OWNER, Role},
    message::SweepAnswer,
    owner::{Owner, Verdict, judge, start_time},
};

pub(crate) async fn run(engine: &Engine) -> anyhow::Result<SweepAnswer> {
    let me = Owner::this_process();
    let mut removed = Vec::new();
    for found in engine.list(&[]).await? {
        // A development server outlives whoever made it, once it has been started.
        let fleeting = found.role != Role::Dev || found.state == State::CREATED;
        let dead = judge(found.label(OWNER), found.age, &me, start_time) == Verdict::Dead;
        if fleeting && dead && engine.remove(&found.id).await? {
            removed.push(found.name);
        }
    }
    Ok(SweepAnswer { removed })
}
