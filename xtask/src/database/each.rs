//! The verbs that work on each database of the manifest in turn, unless the user names one.

use migrations::Error;

use crate::{
    checkout::Checkout,
    terminal::{commands, exit::Stop, output},
};

/// Does a verb's work for each database. Differences in one don't keep the others from being looked at; any other error
/// does.
pub(crate) async fn each(
    checkout: &Checkout,
    run: impl AsyncFn(&Checkout) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    each_with(checkout, &[], async |one, _| run(one).await).await
}

/// The same, with the apps of each database among those that the user named. If any are named, databases without one are
/// left alone.
pub(crate) async fn each_with(
    checkout: &Checkout,
    apps: &[String],
    run: impl AsyncFn(&Checkout, Vec<String>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut done = Ok(());
    for (index, (one, apps)) in databases(checkout, apps).into_iter().enumerate() {
        if let Some(name) = one.database() {
            commands::name_database(name);
            if index > 0 {
                output::remark(&format!("\ndatabase {name}"));
            }
        }
        match run(&one, apps).await {
            Err(error) if matches!(error.downcast_ref(), Some(Stop::Differs)) => done = Err(error),
            other => other?,
        }
    }
    done
}

/// The databases to work on, each with its apps among those that are named. The files may be broken: the verb reports that.
fn databases(checkout: &Checkout, apps: &[String]) -> Vec<(Checkout, Vec<String>)> {
    let all = || vec![(checkout.clone(), apps.to_vec())];
    let (None, Ok(postgres)) = (checkout.database(), checkout.postgres()) else { return all() };
    if postgres.others.is_empty() {
        return all();
    }
    if apps.is_empty() {
        let others = postgres.others.iter().map(|name| (checkout.in_database(name), Vec::new()));
        return all().into_iter().chain(others).collect();
    }
    let Ok(project) = checkout.project() else { return all() };
    let mut found: Vec<(Checkout, Vec<String>)> = Vec::new();
    for app in apps {
        let one = match project.app(app) {
            Err(Error::InOtherDatabase { database, .. }) => checkout.in_database(&database),
            _ => checkout.clone(),
        };
        match found.iter_mut().find(|(other, _)| other.database() == one.database()) {
            Some((_, apps)) => apps.push(app.clone()),
            None => found.push((one, vec![app.clone()])),
        }
    }
    found
}
