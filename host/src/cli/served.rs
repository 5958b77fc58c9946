// What `imds serve` serves.

use std::net::SocketAddr;

use imds_host::{CallerKey, Control, Description, Instances as _, Observer, Runtime, Service};

use super::instances::{Instances, Many};
use super::log::Format;
use super::options::{Options, ReadAgain, refuse_pipes};
use super::scenarios::foreseen;
use super::warnings;
use super::welcome::{MetadataOptions, ready, welcome, welcome_many};

/// One instance for all callers, or one for each.
pub enum Served {
    /// With its first description.
    One(Control, Description),
    Many(Many),
}

impl Served {
    pub fn runtime(&self) -> &Runtime {
        match self {
            Self::One(control, _) => control.runtime(),
            Self::Many(many) => many.fleet.runtime(),
        }
    }

    pub fn service(&self, options: &Options, observer: impl Observer) -> Service {
        match self {
            Self::One(control, _) => options.service(control.clone(), control.clock().clone(), observer),
            Self::Many(many) => options.service(many.fleet.clone(), many.clock.clone(), observer),
        }
    }

    /// What changes the instance; none of many.
    pub fn control(&self) -> Option<&Control> {
        match self {
            Self::One(control, _) => Some(control),
            Self::Many(_) => None,
        }
    }

    pub fn instances(&self) -> u64 {
        match self {
            Self::One(..) => 1,
            Self::Many(many) => many.fleet.len() as u64,
        }
    }

    /// Reads again what describes the instances. A wrong one changes nothing.
    pub fn read_again(&self, options: &Options, instances: &Instances) -> anyhow::Result<ReadAgain> {
        refuse_pipes(instances.path())?;
        match self {
            Self::One(control, _) => options.read_again(control),
            Self::Many(many) => {
                instances.load_again(many, options)?;
                let (number, path) = (many.fleet.len(), many.path.display());
                let s = if number == 1 { "" } else { "s" };
                Ok(ReadAgain { done: format!("read {path} again"), outcome: format!("{number} instance{s}") })
            }
        }
    }

    /// Whether requests over IPv6 are to be answered. Of many instances nobody looks
    /// at each: they are served there where a flag says so for all of them.
    pub fn is_over_ipv6(&self, options: &Options) -> anyhow::Result<bool> {
        match self {
            Self::One(control, _) => Ok(MetadataOptions::of(control)?.ipv6),
            Self::Many(_) => Ok(options.enables_ipv6()),
        }
    }

    /// The lines that scripts read when all is ready.
    pub fn ready(&self, addresses: &[SocketAddr], metrics: Option<SocketAddr>) -> String {
        let what_can_be_had = match self {
            Self::One(..) => "gets the credentials and user data of the description",
            Self::Many(many) => match many.fleet.callers() {
                CallerKey::ClientAddress => "and take an instance's address gets its credentials and user data",
                CallerKey::Listener => "gets its instance's credentials and user data",
                CallerKey::Header(_) => "and set the header field gets any instance's credentials and user data",
                _ => "gets any instance's credentials and user data",
            },
        };
        ready(addresses, what_can_be_had, metrics)
    }

    /// Prints what the descriptions say that cannot be real: last of all, for scripts
    /// wait for the lines before.
    pub fn tell_warnings(&self, format: Format) {
        match self {
            Self::One(control, description) => warnings::tell(&warnings::of_first(control, description), format),
            Self::Many(many) => many.told.tell(format),
        }
    }

    /// Begins to make the keys that will be needed: after all that somebody waits for.
    pub fn make_keys_ahead(&self) {
        // Without a thread they are made at first need.
        let _ = match self {
            Self::One(control, _) => control.instance().sign_ahead(),
            Self::Many(many) => many.fleet.make_keys_ahead(),
        };
    }

    /// What a newcomer needs next.
    pub fn welcome(&self, addresses: &[SocketAddr], options: &Options) -> anyhow::Result<String> {
        Ok(match self {
            Self::One(control, _) => {
                let foreseen = if options.has_scenario() { foreseen(control) } else { String::new() };
                welcome(addresses, &MetadataOptions::of(control)?, options.instance.as_deref()) + &foreseen
            }
            Self::Many(many) => welcome_many(many),
        })
    }
}
