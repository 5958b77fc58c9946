//! Numbers that look random and follow from others.

/// The finaliser of SplitMix64, whose results look independent for numbers in a
/// row. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014.
pub fn mixed(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0xd1b5_4a32_d192_ed03) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
