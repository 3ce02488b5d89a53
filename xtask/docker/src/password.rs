//! Sets the password of a role from within its container, where Postgres requires no password.
//!
//! The data outlives the file with its password, which may have been removed or may belong to another checkout.

use futures_util::TryStreamExt as _;
use testcontainers::bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use tokio::io::AsyncWriteExt as _;
use xtask_protocol::Kind;

use crate::{engine::Engine, failure::failure, ready::Login};

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
    let mut printed = String::new();
    if let StartExecResults::Attached { mut output, mut input } =
        engine.docker.start_exec(&exec.id, None::<StartExecOptions>).await?
    {
        // On standard input, because every user can see command lines and environments.
        input.write_all(script(login).as_bytes()).await?;
        input.flush().await?;
        while let Some(chunk) = output.try_next().await? {
            printed.push_str(&chunk.to_string());
        }
    }
    if engine.docker.inspect_exec(&exec.id).await?.exit_code == Some(0) {
        return Ok(());
    }
    let what = match printed.contains("does not exist") {
        true => "was created for another role than",
        false => "has another password, which could not be changed, for the role",
    };
    let message = format!(
        "the data in volume {volume} {what} `{}`: {}\n  \
         if the data may go, start over: docker rm --force --volumes {container}; docker volume rm {volume}",
        login.user,
        printed.trim().replace(login.password, "…")
    );
    Err(failure(Kind::Other, message))
}

/// The script ends with `\q`, because not every engine passes on the end of the input.
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
