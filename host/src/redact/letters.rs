//! Which letters follow one another in words.

/// The letters that often follow each letter, from `a` to `z`, in English and in
/// the names of programs, operating systems and AWS. These pairs make 98 of 100
/// that occur there, and half of those that random letters make.
const FOLLOWERS: [&str; 26] = [
    "bcdfgiklmnprstuvwxyz",
    "aceijlorsuy",
    "acdefhikloprstuy",
    "abdeiklnoprsuvy",
    "abcdefghilmnopqrstuvwxy",
    "adefgilnortuy",
    "acehimnoprstu",
    "aehimorstuy",
    "abcdefgiklmnoprstvxz",
    "eo",
    "eins",
    "acdefilopstuy",
    "abdeilmopstu",
    "acdefghiklmnoprstuvwy",
    "abcdefgiklmnoprstuvwx",
    "acdehikloprstuvy",
    "u",
    "abcdefgiklmnoprstuvwy",
    "acdehiklmoprstuwy",
    "acdefhilnoprstuwy",
    "abcdefgilmnoprst",
    "aeimp",
    "aehinors",
    "abcefipt",
    "cenopst",
    "eio",
];

/// The same as a bit for each letter.
const MASKS: [u32; 26] = masks();

const fn masks() -> [u32; 26] {
    let mut masks = [0; 26];
    let mut letter = 0;
    while letter < 26 {
        let followers = FOLLOWERS[letter].as_bytes();
        let mut at = 0;
        while at < followers.len() {
            masks[letter] |= 1 << (followers[at] - b'a');
            at += 1;
        }
        letter += 1;
    }
    masks
}

/// Whether the second of two ASCII letters seldom follows the first one in a
/// word, in whatever case they are. What is only repeated surprises nobody.
pub(super) fn is_rare(first: u8, second: u8) -> bool {
    let [first, second] = [first, second].map(|letter| letter.to_ascii_lowercase().wrapping_sub(b'a'));
    first != second && MASKS.get(usize::from(first)).is_some_and(|followers| followers & (1 << (second & 31)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_few_rare_pairs_and_random_letters_have_many() {
        let rare = |word: &str| word.as_bytes().windows(2).filter(|pair| is_rare(pair[0], pair[1])).count();
        for word in ["security", "Credentials", "AMAZON", "hypervisor", "botocore"] {
            assert_eq!(rare(word), 0, "{word}");
        }
        for word in ["wjqxkv", "WJQXKV", "zgqbvk"] {
            assert_eq!(rare(word), 5, "{word}");
        }
    }
}
