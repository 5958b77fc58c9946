//! Names, ids and devices that are there once.

use std::collections::BTreeMap;

use super::Judge;
use super::rules::{DUPLICATE_DEVICE, EQUAL_NAMES};
use crate::description::problem::{Problem, shown};
use crate::facts::bare;

impl Judge<'_> {
    pub(super) fn names(&mut self) {
        self.groups();
        self.listed_once();
        self.devices();
    }

    /// A group is attached to an interface once; a name stands for one group in a
    /// VPC, and an id for one group everywhere.
    fn groups(&mut self) {
        let facts = self.facts;
        let mut names: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
        for (index, interface) in facts.interfaces.iter().enumerate() {
            let mut here: BTreeMap<&str, ()> = BTreeMap::new();
            for (place, group) in interface.groups.iter().enumerate() {
                let name_before = *names.entry((&interface.vpc_id, &group.name)).or_insert(&group.id);
                let id_before = *ids.entry(&group.id).or_insert(&group.name);
                let message = if here.insert(&group.id, ()).is_some() {
                    format!("the security group `{}` is there twice", shown(&group.id))
                } else if name_before != group.id {
                    format!(
                        "the groups {} and {} are both called `{}`",
                        shown(name_before),
                        shown(&group.id),
                        shown(&group.name)
                    )
                } else if id_before != group.name {
                    format!("the group {} is called `{}` elsewhere", shown(&group.id), shown(id_before))
                } else {
                    continue;
                };
                let lists = [format!("/network-interfaces/{index}/groups"), "/security-groups".to_owned()];
                let pointer = self.stated(lists.map(|list| format!("{list}/{place}")));
                let help = "a security group has one id and, in its VPC, a name of its own";
                self.warn(&EQUAL_NAMES, Problem::at(pointer, message).help(help));
            }
        }
    }

    /// Lists in which nothing is there twice.
    fn listed_once(&mut self) {
        let facts = self.facts;
        let ids = |pairs: &'_ [(String, String)]| pairs.iter().map(|(id, _)| id.clone()).collect();
        let lists: [(&str, Vec<String>, &str); 6] = [
            ("product-codes", facts.product_codes.iter().map(|(code, _)| code.clone()).collect(), "the product code"),
            ("billing-products", facts.billing_products.clone(), "the billing product"),
            ("ancestor-ami-ids", facts.ancestor_ami_ids.clone(), "the AMI"),
            ("events", facts.events.iter().map(|event| event.id.clone()).collect(), "the event"),
            ("elastic-gpu-associations", ids(&facts.elastic_gpus), "the Elastic GPU"),
            ("elastic-inference-accelerator-associations", ids(&facts.elastic_inference), "the accelerator"),
        ];
        for (field, values, what) in lists {
            let mut seen = BTreeMap::new();
            for (place, value) in values.iter().enumerate() {
                if seen.insert(value, ()).is_some() {
                    let message = format!("{what} `{}` is there twice", shown(value));
                    self.warn(&EQUAL_NAMES, Problem::at(format!("/{field}/{place}"), message));
                }
            }
        }
    }

    fn devices(&mut self) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let root = bare(&self.facts.root_device_name);
        let mut found = Vec::new();
        for (place, mapping) in self.description.block_device_mappings.iter().enumerate() {
            let device = bare(mapping.device_name.as_str());
            let message = match seen.insert(device, place) {
                Some(before) => format!("the device `{}` is mapped before, by entry {before}", shown(device)),
                // An EBS volume on it is the root volume, which EC2's API lists too.
                None if device == root && mapping.virtual_name.is_some() => {
                    format!("the device `{}` is the root device", shown(device))
                }
                None => continue,
            };
            found.push(Problem::at(format!("/block-device-mappings/{place}/device-name"), message));
        }
        found.into_iter().for_each(|problem| self.warn(&DUPLICATE_DEVICE, problem));
    }
}
