//! `assay`, the command line: arguments in, renderings out.
//!
//! Scope: arguments, files, keys and words. What is true is decided in the crates under `core` and
//! in `assay_client`; this crate reads the clock and random bytes for them. Data goes to stdout and
//! everything else to stderr, so that output can be piped.
//!
//! [`args`] is on top. A command is one file of `commands`; it imports the modules below and no
//! other command. [`exit`] alone knows the exit codes.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod about;
mod args;
mod asking;
mod attested;
mod check;
mod commands;
mod config;
mod exit;
mod help;
mod hook;
mod input;
mod keys;
mod log_key;
mod options;
mod output;
mod policy_file;
mod publishing;
mod session;
mod subject;
mod terminal;
mod time;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use config::Settings;
use exit::Failure;
use options::Given;
use std::process::ExitCode;
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = assay_host::environment::without_empty(help::with_groups(Cli::command()));
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => error.exit(),
        Err(help) => {
            // Help or the version, which was asked for.
            return match output::written(help.print()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => exit::report(&failure),
            };
        }
    };
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    cli.global.given = Given::of(&matches);
    let result = Settings::load(&cli.global).and_then(|settings| run(cli.command, &settings));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// What it costs to remember nothing.
const FORGETS: &str = "note: nothing is remembered from one run to the next: a log that shows this \
    machine two histories or an older head, and what was proven of it before, goes unnoticed";

fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    command.refuse_unhonored(settings.format, &settings.given)?;
    if settings.forgets() && command.remembers() {
        output::say(settings, FORGETS);
    }
    let runtime = assay_host::threads::demand_one()
        .and_then(|()| Builder::new_multi_thread().enable_all().build())
        .map_err(|e| Failure::io("cannot start the program's threads", e))?;
    let done = runtime.block_on(run_command(command, settings));
    // A name that is still being resolved is not waited for.
    runtime.shutdown_background();
    done
}

async fn run_command(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Check(command) => commands::check::run(command, settings).await,
        Command::Export(command) => commands::export::run(command, settings).await,
        Command::Lifecycle(command) => commands::lifecycle::run(command, settings).await,
        Command::Badge(command) => commands::badge::run(command, settings).await,
        Command::Lookup(command) => commands::lookup::run(command, settings).await,
        Command::Watch(command) => commands::watch::run(command, settings).await,
        Command::Verify(command) => commands::verify::run(command, settings),
        Command::Policy(command) => commands::policy::run(command, settings),
        Command::Key(command) => commands::key::run(command, settings),
        Command::Issuer(command) => commands::issuer::run(command, settings).await,
        Command::Publish(command) => commands::publish::run(command, settings).await,
        Command::Bridge(command) => commands::bridge::run(command, settings).await,
        Command::Receipt(command) => commands::receipt::run(command, settings).await,
        Command::Withdraw(command) => commands::withdraw::run(command, settings).await,
        Command::Respond(command) => commands::respond::run(command, settings).await,
        Command::Endorse(command) => commands::endorse::run(command, settings).await,
        Command::Require(command) => commands::require::run(command, settings).await,
        Command::Log(command) => commands::log::run(command, settings).await,
        Command::Audit(command) => commands::audit::run(command, settings).await,
        Command::Misbehavior(command) => commands::misbehavior::run(command, settings).await,
        Command::Monitor(command) => commands::monitor::run(command, settings).await,
        Command::Peers(command) => commands::peers::run(command, settings).await,
        Command::Get(command) => commands::get::run(command, settings).await,
        Command::Completions(command) => commands::completions::run(command, Cli::command()),
        Command::Man(command) => commands::man::run(command, Cli::command(), settings),
    }
}
