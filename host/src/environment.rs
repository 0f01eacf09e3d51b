//! Variables of the environment. An empty one is as good as none: what runs programs for others,
//! as CI and compose files do, passes those that nobody set as empty.

use clap::{Command, builder::Resettable};
use std::ffi::OsStr;

/// The command, which takes no option from an empty variable of the environment.
pub fn without_empty(command: Command) -> Command {
    unless(command, &|name| {
        std::env::var_os(name).is_some_and(|value| value.is_empty())
    })
}

/// The command, which takes no option from a variable that is empty.
fn unless(command: Command, is_empty: &dyn Fn(&OsStr) -> bool) -> Command {
    let command = command.mut_args(|arg| match arg.get_env() {
        Some(name) if is_empty(name) => arg.env(Resettable::Reset),
        _ => arg,
    });
    command.mut_subcommands(|command| unless(command, is_empty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn variables(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter_map(Arg::get_env);
        let own = own.map(|name| name.to_string_lossy().into_owned());
        let inner = command.get_subcommands().flat_map(variables);
        own.chain(inner).collect()
    }

    #[test]
    fn no_option_of_any_command_is_taken_from_an_empty_variable() {
        let inner = Command::new("inner").arg(Arg::new("b").long("b").env("B"));
        let command = Command::new("outer")
            .arg(Arg::new("a").long("a").env("A"))
            .subcommand(inner);
        let empty = unless(command.clone(), &|name| name == "B");
        assert_eq!(variables(&empty), ["A"]);
        let empty = unless(command.clone(), &|_| true);
        assert_eq!(variables(&empty), Vec::<String>::new());
        let set = unless(command, &|_| false);
        assert_eq!(variables(&set), ["A", "B"]);
    }
}
