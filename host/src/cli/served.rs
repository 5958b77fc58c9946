// What `imds serve` serves.

use std::net::SocketAddr;

use imds_host::{CallerKey, Control, Description, Ec2Api, Instances as _, Journal, Observer, Runtime, Service};

use super::control::Operands;
use super::instances::{Guests, Instances, Many};
use super::log::Format;
use super::options::{Options, ReadAgain, refuse_pipes};
use super::process::Clients;
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
            Self::Many(many) => many.guests.runtime(),
        }
    }

    pub fn service(&self, options: &Options, observer: impl Observer) -> Service {
        match self {
            Self::One(control, _) => options.service(control.clone(), control.clock().clone(), observer),
            Self::Many(many) => many.guests.service(many.clock.clone(), options, observer),
        }
    }

    /// Whom an operator changes; nobody of many that are only described.
    pub fn operands(&self) -> Option<Operands> {
        match self {
            Self::One(control, _) => Some(Operands::One(control.clone())),
            Self::Many(many) => match &many.guests {
                Guests::Described(_) => None,
                Guests::Controlled(guests) => Some(Operands::Many(guests.fleet.clone())),
            },
        }
    }

    /// The journal of the one instance; each of many has its own.
    pub fn journal(&self) -> Option<&Journal> {
        match self {
            Self::One(control, _) => Some(control.journal()),
            Self::Many(_) => None,
        }
    }

    /// The processes that ask by version 1. Nobody looks for those of many instances: a
    /// client of several would have the same in each.
    pub fn clients(&self) -> Clients {
        match self {
            Self::One(..) => Clients::on_a_thread(),
            Self::Many(_) => Clients::default(),
        }
    }

    /// EC2's API for what is served; none where it cannot be changed. A new guest is what
    /// the flags say of all.
    pub fn ec2_api(&self, options: &Options) -> anyhow::Result<Option<Ec2Api>> {
        Ok(match self.operands() {
            Some(Operands::One(control)) => Some(Ec2Api::of_one(control)),
            Some(Operands::Many(fleet)) => {
                let template = options.description(fleet.runtime())?;
                Some(Ec2Api::of_many(fleet, template))
            }
            None => None,
        })
    }

    pub fn instances(&self) -> u64 {
        match self {
            Self::One(..) => 1,
            Self::Many(many) => many.guests.len() as u64,
        }
    }

    /// Reads again what describes the instances, or the one of a key. A wrong one
    /// changes nothing.
    pub fn read_again(&self, options: &Options, instances: &Instances, key: Option<&str>) -> anyhow::Result<ReadAgain> {
        refuse_pipes(instances.path())?;
        match self {
            Self::One(control, _) => options.read_again(control),
            Self::Many(many) => {
                let outcome = instances.load_again(many, options, key)?;
                Ok(ReadAgain { done: format!("read {} again", many.path.display()), outcome })
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
            Self::Many(many) => match many.guests.callers() {
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
            Self::Many(many) => many.guests.make_keys_ahead(),
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
