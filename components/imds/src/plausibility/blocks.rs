//! Sets of blocks of addresses, of any size, without quadratic searches: a
//! description may have a hundred thousand addresses.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use crate::description::value::CidrBlock;

/// Blocks in which addresses and other blocks are looked for.
#[derive(Default)]
pub struct Blocks {
    /// The first addresses, by the number of fixed bits.
    by_length: BTreeMap<u8, BTreeSet<IpAddr>>,
}

impl Blocks {
    /// A set of these.
    pub fn of<'b>(blocks: impl IntoIterator<Item = &'b CidrBlock>) -> Blocks {
        let mut set = Blocks::default();
        for block in blocks {
            set.by_length.entry(block.prefix_length).or_default().insert(block.address);
        }
        set
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_length.is_empty()
    }

    /// Whether one of them has all of `block`.
    pub fn contain(&self, block: CidrBlock) -> bool {
        self.by_length
            .range(..=block.prefix_length)
            .any(|(length, addresses)| addresses.contains(&CidrBlock::around(block.address, *length).address))
    }
}

/// The block that is one address.
pub fn one(address: IpAddr) -> CidrBlock {
    CidrBlock { address, prefix_length: bits(address) }
}

/// The number of bits of an address.
pub fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Of blocks with an owner, each that lies in another of another owner, with the
/// one in which it lies. Two of one owner may overlap.
pub fn overlapping<O: Copy + Ord>(mut blocks: Vec<(CidrBlock, O)>) -> Vec<((CidrBlock, O), (CidrBlock, O))> {
    // Behind one stands what lies in it: of two blocks that overlap, one is in the other.
    blocks.sort_by_key(|(block, owner)| (block.address, block.prefix_length, *owner));
    let mut around: Vec<(CidrBlock, O)> = Vec::new();
    let mut found = Vec::new();
    for (block, owner) in blocks {
        let lies_in = |outer: &CidrBlock| {
            outer.address.is_ipv4() == block.address.is_ipv4()
                && CidrBlock::around(block.address, outer.prefix_length).address == outer.address
        };
        while around.last().is_some_and(|(outer, _)| !lies_in(outer)) {
            around.pop();
        }
        if let Some(outer) = around.iter().rev().find(|(_, other)| *other != owner) {
            found.push(((block, owner), *outer));
        }
        // Equal ones of one owner would make the search long.
        if around.last() != Some(&(block, owner)) {
            around.push((block, owner));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::value::{Ipv4Block, Ipv6Block};

    fn block(text: &str) -> CidrBlock {
        match text.contains(':') {
            true => text.parse::<Ipv6Block>().unwrap().0,
            false => text.parse::<Ipv4Block>().unwrap().0,
        }
    }

    #[test]
    fn a_block_lies_in_one_that_is_as_large_or_larger() {
        let blocks = Blocks::of(&[block("10.0.0.0/16"), block("10.1.0.0/24"), block("2001:db8::/56")]);
        for inside in ["10.0.0.0/16", "10.0.3.0/24", "10.1.0.7/32", "2001:db8::/64"] {
            assert!(blocks.contain(block(inside)), "{inside}");
        }
        for outside in ["10.0.0.0/8", "10.1.1.0/24", "10.2.0.0/32", "2001:db9::/64", "::/56"] {
            assert!(!blocks.contain(block(outside)), "{outside}");
        }
    }

    #[test]
    fn what_overlaps_is_found_with_what_it_lies_in() {
        let of = |blocks: &[(&str, u8)]| {
            let found = overlapping(blocks.iter().map(|(text, owner)| (block(text), *owner)).collect());
            found.iter().map(|((inner, _), (outer, _))| format!("{inner} in {outer}")).collect::<Vec<_>>()
        };
        assert_eq!(of(&[("10.0.0.0/24", 1), ("10.0.1.0/24", 2), ("10.0.0.0/24", 1)]), [""; 0]);
        assert_eq!(of(&[("10.0.1.0/24", 2), ("10.0.0.0/16", 1)]), ["10.0.1.0/24 in 10.0.0.0/16"]);
        assert_eq!(of(&[("10.0.1.0/24", 2), ("10.0.1.0/24", 1)]), ["10.0.1.0/24 in 10.0.1.0/24"]);
        let nested =
            [("10.0.0.0/8", 1), ("10.0.0.0/16", 2), ("10.0.0.0/24", 2), ("10.9.0.0/24", 2), ("11.0.0.0/24", 2)];
        assert_eq!(
            of(&nested),
            ["10.0.0.0/16 in 10.0.0.0/8", "10.0.0.0/24 in 10.0.0.0/8", "10.9.0.0/24 in 10.0.0.0/8"]
        );
        assert_eq!(of(&[("::/0", 1), ("0.0.0.0/0", 2)]), [""; 0]);
    }
}
