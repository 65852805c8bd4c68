//! `proact rotate`: new keys in the place of those in the data folder, also under a server that runs on it.
//!
//! A server looks at the files every ten seconds when it is asked for anything. Who may rotate is who may write the data folder; no route does
//! it.

use clap::Subcommand;
use proact::{
    clock::{Clock as _, SystemClock},
    directline::issuer::{self, Previous},
};

use super::{Failed, print};
use crate::{config::Config, sign_in};

#[derive(Debug, Subcommand)]
pub(super) enum Rotate {
    /// The key by which the built-in channel and the bot know each other. The old one verifies until its tokens have expired
    Channel {
        /// The old key may be in other hands: what it signed is refused at once. Activities that are handed over in these ten seconds may fail
        #[arg(long)]
        revoke: bool,
    },
    /// The key that the page asks for. Everyone is signed out
    Page,
}

pub(super) fn run(what: &Rotate, config: &Config) -> Result<(), Failed> {
    let data = &config.data;
    if !data.is_dir() {
        let line = format!("there is no data in {}: name its folder with --data", data.display());
        return Err(Failed::because(&line));
    }
    match what {
        Rotate::Channel { revoke } => {
            let (previous, then) = if *revoke {
                (Previous::Revoked, "What the old one signed is refused.")
            } else {
                (Previous::Retires, "What the old one signed is good until it expires, ten minutes at most.")
            };
            issuer::rotate(data, SystemClock.now(), previous).map_err(|error| Failed::because(&error))?;
            print(&format!(
                "The channel has a new key; a server that runs uses it within ten seconds. {then}\n"
            ));
        }
        Rotate::Page => {
            if config.reach.page_key().is_some() {
                let line = "the page's key is set in the configuration (page.key): change it there, and start the server again";
                return Err(Failed::because(&line));
            }
            sign_in::rotate(data).map_err(|error| Failed::because(&error))?;
            print(&format!(
                "The page has a new key, in {}; a server that runs uses it within ten seconds, and everyone is signed out then.\n",
                data.join("page.key").display()
            ));
        }
    }
    Ok(())
}
