//! `cargo xtask completions`: prints a script that makes a shell complete `cargo xtask`, generated from the declaration of
//! the command line.

use clap::{Args as ClapArgs, Command};
use clap_complete::Shell;

use crate::terminal::output;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  source <(cargo xtask completions bash)      in ~/.bashrc, after cargo's own completions
  source <(cargo xtask completions zsh)       in ~/.zshrc, after compinit and cargo's own
  cargo xtask completions fish | source       in ~/.config/fish/config.fish

Exit code 2: there is no script for that shell.")]
pub(crate) struct Args {
    /// The shell
    shell: Supported,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Supported {
    Bash,
    Zsh,
    Fish,
}

/// Completes `cargo xtask …` as if the line began with `xtask`, and leaves the rest of cargo to the completions before.
const BASH: &str = r#"
_cargo_before=$(complete -p cargo 2>/dev/null | sed -n 's/.*-F \([^ ]*\) .*/\1/p')
[[ $_cargo_before == _cargo_or_xtask ]] || _cargo_before_xtask=$_cargo_before
_cargo_or_xtask() {
    if [[ ${COMP_WORDS[1]} == xtask && $COMP_CWORD -gt 1 ]]; then
        COMP_WORDS=("${COMP_WORDS[@]:1}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _xtask xtask "$2" "$3"
    elif [[ -n $_cargo_before_xtask ]]; then
        "$_cargo_before_xtask" "$@"
    else
        COMPREPLY=($(compgen -W "$(cargo --list 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$2"))
    fi
}
complete -o bashdefault -o default -F _cargo_or_xtask cargo
"#;
/// Cargo's own completions call a function with that name. Where they are not installed, ours complete `cargo` instead.
const ZSH: &str = r#"
_cargo-xtask() { _xtask "$@" }
if (( ! $+_comps[cargo] )); then
    _cargo_or_xtask() {
        [[ $words[2] == xtask ]] || return 1
        shift words
        (( CURRENT-- ))
        _xtask
    }
    compdef _cargo_or_xtask cargo
fi
"#;
const FISH: &str = r#"
complete --command cargo --condition '__fish_seen_subcommand_from xtask' --no-files --arguments '(complete --do-complete (string replace --regex "^.*?\bxtask\b" xtask -- (commandline --cut-at-cursor --current-process)))'
"#;

impl Args {
    /// Prints the script for the command line that `command` declares.
    pub(crate) fn run(self, command: Command) {
        let (shell, cargo) = match self.shell {
            Supported::Bash => (Shell::Bash, BASH),
            Supported::Zsh => (Shell::Zsh, ZSH),
            Supported::Fish => (Shell::Fish, FISH),
        };
        let mut script = Vec::new();
        // Not `cargo xtask`: the script uses the name for functions, and a function's name has no blank.
        let mut command = command.name("xtask").bin_name("xtask");
        clap_complete::generate(shell, &mut command, "xtask", &mut script);
        output::raw(&String::from_utf8_lossy(&script));
        output::raw(cargo);
    }
}
