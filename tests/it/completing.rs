//! What a shell completes after `cargo xtask`.

use std::fs;

use duct::cmd;

use crate::checkout::{Checkout, outcome};

/// What bash offers for the last of these words.
fn completed(script: &str, words: &[&str]) -> Vec<String> {
    let commands = format!(
        "complete -F _cargos_own cargo; _cargos_own() {{ COMPREPLY=(cargos own); }}
         {script}
         {script}
         COMP_WORDS=({}); COMP_CWORD={}; _cargo_or_xtask cargo {:?} {:?}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), commands).unwrap();
    cmd!("bash", "--norc", file.path()).read().unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_options_and_their_values_and_leaves_cargos_own_alone() {
    let script = outcome(&Checkout::new().bare_command(&["completions", "bash"]));
    let script = &script.expect(0, &[]).stdout;
    assert_eq!(completed(script, &["cargo", "xtask", "db-re"]), ["db-reset"]);
    assert_eq!(completed(script, &["cargo", "xtask", "--server", "na"]), ["native"]);
    assert_eq!(completed(script, &["cargo", "xtask", "showmigrations", "--pl"]), ["--plan"]);
    assert_eq!(completed(script, &["cargo", "bui"]), ["cargos", "own"]);
}

#[test]
fn every_supported_shell_has_a_script_and_an_unsupported_one_gets_the_list() {
    let checkout = Checkout::new();
    for shell in ["bash", "zsh", "fish"] {
        outcome(&checkout.bare_command(&["completions", shell])).expect(0, &["db-setup", "cargo"]);
    }
    outcome(&checkout.bare_command(&["completions", "tcsh"])).expect(2, &["bash, zsh, fish"]);
}
