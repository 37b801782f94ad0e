//! Whether a word is a Vietnamese syllable: the one thing that tells a right reading of old bytes from a wrong one. A
//! syllable is an onset, a rhyme out of a closed list, and at most one tone at its proper place.

use std::{collections::HashSet, sync::LazyLock};
use unicode_normalization::UnicodeNormalization;

/// All rhymes without their tones.
const RHYMES: &str = "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e ec em en eng eo \
    ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu o oa oac oach oai oam oan \
    oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi \
    ơm ơn ơp ơt u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya uych uyên uyêt \
    uynh uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y ych yêm yên yêng yêt yêu ynh yt";

const ONSETS: &[&str] = &[
    "ngh", "ng", "nh", "ch", "gh", "gi", "kh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g", "h", "k",
    "l", "m", "n", "p", "r", "s", "t", "v", "x", "",
];

static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| RHYMES.split(' ').collect());

const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// The longest syllable is `nghiêng`.
const LONGEST: usize = 8;

/// Returns whether this is a syllable that Vietnamese can have, in any case of letters.
pub(super) fn is_syllable(word: &str) -> bool {
    if word.len() > 4 * LONGEST {
        return false;
    }
    let (mut letters, mut tone) = (String::new(), None);
    for c in word.chars().flat_map(char::to_lowercase).nfc() {
        let mut pieces = [c].into_iter().nfd().filter(|c| !TONES.contains(c)).nfc();
        let (Some(letter), None) = (pieces.next(), pieces.next()) else { return false };
        if !(letter.is_ascii_lowercase() || "ăâđêôơư".contains(letter)) {
            return false;
        }
        if letter != c {
            let mark = [c].into_iter().nfd().find(|c| TONES.contains(c));
            if tone.replace((letters.chars().count(), mark)).is_some() {
                return false;
            }
        }
        letters.push(letter);
    }
    let tone = tone.and_then(|(place, mark)| Some((place, mark?)));
    ONSETS.iter().any(|onset| letters.strip_prefix(onset).is_some_and(|rhyme| fits(onset, rhyme, tone)))
}

fn fits(onset: &str, rhyme: &str, tone: Option<(usize, char)>) -> bool {
    let before_front = rhyme.starts_with(['i', 'e', 'ê', 'y']);
    let spelled = match onset {
        "k" | "gh" | "ngh" => before_front,
        "c" | "ng" => !before_front,
        "g" => !rhyme.starts_with(['e', 'ê', 'y']),
        "gi" => !rhyme.starts_with(['i', 'y']),
        "qu" => !rhyme.starts_with(['u', 'ư', 'o']),
        // Only `y` itself and `yê` begin a word.
        "" => true,
        _ => !rhyme.starts_with("yê"),
    };
    if !spelled || !KNOWN.contains(rhyme) {
        return false;
    }
    let Some((place, mark)) = tone else { return true };
    // A syllable that ends in a stop has one of two tones.
    let is_stopped = rhyme.ends_with(['p', 't', 'c']) || rhyme.ends_with("ch");
    if is_stopped && !matches!(mark, '\u{301}' | '\u{323}') {
        return false;
    }
    place.checked_sub(onset.chars().count()).is_some_and(|place| carries(rhyme, place))
}

/// Whether the tone may stand on this letter of the rhyme; of `oa`, `oe` and `uy` there are two schools.
fn carries(rhyme: &str, place: usize) -> bool {
    let vowels: Vec<char> = rhyme.chars().take_while(|c| "aăâeêioôơuưy".contains(*c)).collect();
    if place >= vowels.len() {
        return false;
    }
    if let Some(shaped) = vowels.iter().rposition(|c| "ăâêôơ".contains(*c)) {
        return place == shaped;
    }
    let is_open = vowels.len() == rhyme.chars().count();
    match (vowels.as_slice(), is_open) {
        ([_], _) => true,
        (['o', 'a' | 'e'] | ['u', 'y'], true) => true,
        ([_, _], true) => place == 0,
        ([_, _], false) => place == 1,
        _ => place == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_told_from_other_words() {
        let said = "cộng hoà xã hội chủ nghĩa việt nam độc lập tự do hạnh phúc quyết định quản lý sử dụng thư điện tử công vụ \
            gì giữ giếng của người nghiêng khuỷu yêu ý uỷ thủy hòa thuế đường rượu quốc quý huỳnh ngoài khuya mía mưa cứu \
            Kính GỬI Đồng ưu ở ế";
        for word in said.split_whitespace() {
            assert!(is_syllable(word), "{word}");
            let decomposed: String = word.nfd().collect();
            assert!(is_syllable(&decomposed), "{word}");
        }
        for word in
            "café été müller über señor françois naïve ctộ mạs tàt bàc kà cì hoàì aà tiàn straße ộtộ nguyêñn"
                .split_whitespace()
        {
            assert!(!is_syllable(word), "{word}");
        }
    }
}
