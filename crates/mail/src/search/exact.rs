//! Which accented words a message holds, in some bytes: so that what was written just as it is asked for comes first without
//! reading messages again. A Bloom filter: about one of a hundred words is thought to be there and is not, none is missed.
//!
//! "hòa" and "hoà" are one spelling, the tone standing on one vowel or the other.

use super::words::spans;
use unicode_normalization::UnicodeNormalization;

const LONGEST: usize = 1024;
const SHORTEST: usize = 16;
const BITS_A_WORD: usize = 10;
const PROBES: u64 = 4;
/// Words looked at in a text.
const MOST_WORDS: usize = 40_000;

/// Returns the keys of the accented words of a text, each once, in no order.
pub(super) fn accented(text: &str) -> Vec<u64> {
    let mut keys: Vec<u64> = spans(text, MOST_WORDS)
        .into_iter()
        .filter_map(|span| text.get(span.place))
        .filter(|word| !word.is_ascii())
        .filter_map(key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The key of a word that has an accent: its letters with what belongs to them, then its tone.
fn key(word: &str) -> Option<u64> {
    let mut tones: Vec<char> = Vec::new();
    let mut is_accented = false;
    // FNV-1a: the keys are kept on disk, so they are the same in every process.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |c: char| {
        for byte in u32::from(c).to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for c in word.chars().flat_map(char::to_lowercase).nfd() {
        match c {
            '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}' => tones.push(c),
            '\u{302}' | '\u{306}' | '\u{31b}' | 'đ' => {
                is_accented = true;
                take(c);
            }
            other => take(other),
        }
    }
    is_accented |= !tones.is_empty();
    tones.into_iter().for_each(&mut take);
    is_accented.then_some(mixed(hash))
}

/// Every bit of a key depends on every letter (the last steps of MurmurHash3).
const fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Returns the filter of these keys.
pub(super) fn filter(mut keys: Vec<u64>) -> Vec<u8> {
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Vec::new();
    }
    let mut bits = vec![0; (keys.len() * BITS_A_WORD).div_ceil(8).clamp(SHORTEST, LONGEST)];
    for key in keys {
        for (byte, mask) in places(key, bits.len()) {
            if let Some(byte) = bits.get_mut(byte) {
                *byte |= mask;
            }
        }
    }
    bits
}

/// Returns whether all of these words are there.
pub(super) fn holds(filter: &[u8], keys: &[u64]) -> bool {
    keys.iter().all(|key| {
        !filter.is_empty()
            && places(*key, filter.len()).all(|(byte, mask)| filter.get(byte).is_some_and(|b| b & mask != 0))
    })
}

fn places(key: u64, length: usize) -> impl Iterator<Item = (usize, u8)> {
    let (first, step) = (key, key.rotate_left(32) | 1);
    (0..PROBES).map(move |n| {
        let bit = first.wrapping_add(n.wrapping_mul(step)) % (length.max(1) as u64 * 8);
        (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_told_apart_and_places_of_tones_are_not() {
        let filter = filter(accented("Kính gửi Ban Quản lý dự án tỉnh Khánh Hòa"));
        for held in ["khánh hoà", "KHÁNH HÒA", "Quản lý", "kha\u{301}nh", "gửi ban"] {
            assert!(holds(&filter, &accented(held)), "{held}");
        }
        for other in ["khanh hoá", "quân", "khảnh", "du ăn", "đến"] {
            assert!(!holds(&filter, &accented(other)), "{other}");
        }
        assert!(accented("khanh hoa 123").is_empty());
        assert!(!holds(&super::filter(Vec::new()), &accented("hòa")));
    }
}
