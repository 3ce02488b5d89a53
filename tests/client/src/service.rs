//! Finds the service that lends databases, and starts one where none runs.

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Once,
};

use crate::{
    Error,
    checkout::{SERVER, SERVICE, checkout, variable},
    line::Line,
    socket::Sockets,
};

/// Connects to the service that the environment names, or that the checkout has for the server that is meant, and starts one
/// where none runs. `None`: the environment names a test server, and no service of it answers. Fails if the service that is
/// named does not answer, or none can be started.
pub(crate) fn connect() -> Result<Option<Line>, Error> {
    let server_is_named = variable(SERVER).is_some();
    match variable(SERVICE) {
        Some(socket) => match Line::connect(Path::new(&socket)) {
            // It was killed, and its server may well be there.
            Err(_) if server_is_named => Ok(None),
            line => line.map(Some),
        },
        None if server_is_named => Ok(None),
        None => shared().map(Some),
    }
}

/// Connects to the service of this checkout for the server that is meant.
fn shared() -> Result<Line, Error> {
    let root = checkout()?;
    let socket = Sockets::in_checkout(&root)?.shared(|name| env::var_os(name));
    if let Ok(line) = Line::connect(&socket) {
        return Ok(line);
    }
    // A second test that comes here waits inside this command until the first has started the service.
    let said = start(&root)?;
    Line::connect(&socket).map_err(|_| {
        Error::new(format!("no test server: `cargo xtask server start --test` said:\n{}", said.trim()))
    })
}

/// Says once in a process what its tests wait for: cargo may have to build the tool, which takes a minute or two.
fn announce() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // Straight to standard error, since a harness shows what a test prints only after the test.
        let _ = io::stderr().write_all(
            b"no test server runs yet; `cargo xtask server start --test` starts one, and first builds xtask if it is out of date\n",
        );
    });
}

/// Starts the service by the checkout's own tool. Returns what that printed.
#[expect(clippy::disallowed_methods, reason = "duct would be a dependency of everything that has tests")]
fn start(root: &Path) -> Result<String, Error> {
    let (program, words) = match variable("XTASK_BIN") {
        Some(xtask) => (xtask, &[] as &[&str]),
        // The alias is the checkout's own word for its tool, so no package is named here.
        None => {
            announce();
            (variable("CARGO").unwrap_or_else(|| "cargo".to_owned()), &["xtask"] as &[&str])
        }
    };
    let output = Command::new(&program)
        .args(words)
        .args(["server", "start", "--test"])
        .current_dir(root)
        // Both must mean the same checkout.
        .env("XTASK_ROOT", root)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::because(format!("run {program}"), error))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(text(&output.stdout) + &text(&output.stderr))
}
