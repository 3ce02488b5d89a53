//! Gives a role another password, from within its container, where no password is asked for.
//!
//! The data outlives whatever remembered its password: a state file that was removed, or another checkout's.

use futures_util::TryStreamExt as _;
use testcontainers::bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use tokio::io::AsyncWriteExt as _;

use crate::{
    engine::Engine,
    failure::{Kind, failure},
    ready::Login,
};

pub(crate) async fn reset(
    engine: &Engine,
    container: &str,
    volume: &str,
    login: &Login<'_>,
) -> anyhow::Result<()> {
    let command =
        ["psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--dbname=template1"];
    let mut command: Vec<String> = command.map(str::to_owned).into();
    command.push(format!("--username={}", login.user));
    let options = CreateExecOptions {
        cmd: Some(command),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let exec = engine.docker.create_exec(container, options).await?;
    let mut said = String::new();
    if let StartExecResults::Attached { mut output, mut input } =
        engine.docker.start_exec(&exec.id, None::<StartExecOptions>).await?
    {
        // On standard input: a command line is for everybody to see, and so is an environment.
        input.write_all(script(login).as_bytes()).await?;
        input.flush().await?;
        while let Some(chunk) = output.try_next().await? {
            said.push_str(&chunk.to_string());
        }
    }
    if engine.docker.inspect_exec(&exec.id).await?.exit_code == Some(0) {
        return Ok(());
    }
    let what = match said.contains("does not exist") {
        true => "was made for another role than",
        false => "has another password, which could not be changed, for the role",
    };
    let message = format!(
        "the data in volume {volume} {what} `{}`: {}\n  \
         if the data may go, begin anew: docker rm --force --volumes {container}; docker volume rm {volume}",
        login.user,
        said.trim().replace(login.password, "…")
    );
    Err(failure(Kind::Other, message))
}

/// Quits by itself: not every engine passes on that its input has ended.
fn script(login: &Login<'_>) -> String {
    let (user, password) = (login.user.replace('"', "\"\""), login.password.replace('\'', "''"));
    format!(
        "set log_statement = 'none';\n\
         set log_min_error_statement = panic;\n\
         set log_min_duration_statement = -1;\n\
         set standard_conforming_strings = on;\n\
         alter role \"{user}\" password '{password}';\n\
         \\q\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_quoted() {
        let script = script(&Login { user: "a\"b", password: "it's \\" });
        assert!(script.contains("alter role \"a\"\"b\" password 'it''s \\';\n"), "{script}");
    }
}
