//! The three legacy charsets that no library knows: VISCII (RFC 1456), TCVN 5712:1993 and VNI for Windows.

use encoding_rs::WINDOWS_1252;
use std::sync::LazyLock;

/// VISCII 1.1 from 0x80 (RFC 1456 §5).
const VISCII: &str = "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệố\
    ồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ";

/// TCVN 5712:1993 (VN1) from 0x80. Its lower-case letters are those of the ABC fonts (VN3, "TCVN3").
const TCVN: &str = "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\u{a0}ĂÂÊÔƠƯĐăâêôơưđẰ\
    \u{300}\u{309}\u{303}\u{301}\u{323}àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ";

static VISCII_TABLE: LazyLock<Vec<char>> = LazyLock::new(|| {
    let low = |byte| match byte {
        0x02 => 'Ẳ',
        0x05 => 'Ẵ',
        0x06 => 'Ẫ',
        0x14 => 'Ỷ',
        0x19 => 'Ỹ',
        0x1e => 'Ỵ',
        other => char::from(other),
    };
    (0..0x80).map(low).chain(VISCII.chars()).collect()
});

static TCVN_TABLE: LazyLock<Vec<char>> =
    LazyLock::new(|| (0..0x80).map(char::from).chain(TCVN.chars()).collect());

/// The letters of TCVN with the dashes and quotes of windows-1252.
static ABC_TABLE: LazyLock<Vec<char>> = LazyLock::new(|| {
    let low: Vec<u8> = (0..0xa0).collect();
    let (low, _) = WINDOWS_1252.decode_without_bom_handling(&low);
    low.chars().chain(TCVN.chars().skip(0x20)).collect()
});

fn translate(bytes: &[u8], table: &[char]) -> String {
    bytes.iter().filter_map(|byte| table.get(usize::from(*byte))).collect()
}

/// Decodes VISCII, the six letters among the control characters too.
pub(super) fn viscii(bytes: &[u8]) -> String {
    translate(bytes, &VISCII_TABLE)
}

/// Decodes TCVN 5712 as the standard says; control characters stay.
pub(super) fn tcvn(bytes: &[u8]) -> String {
    translate(bytes, &TCVN_TABLE)
}

/// Decodes what was written in Windows with an ABC font (TCVN3): dashes and quotes are those of windows-1252. These fonts
/// have no capital letters with a tone, so people wrote `VIÖT NAM`: among capitals a letter is a capital.
pub(crate) fn abc(bytes: &[u8]) -> String {
    let is_word = |byte: u8| byte >= 0xa1 || byte.is_ascii_alphabetic();
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 2);
    for word in bytes.chunk_by(|a, b| is_word(*a) == is_word(*b)) {
        let mut letters = word.iter().filter(|b| b.is_ascii_alphabetic());
        let capitals = letters.clone().count() >= 2 && letters.all(u8::is_ascii_uppercase);
        let text = translate(word, &ABC_TABLE);
        out.push_str(&if capitals { text.to_uppercase() } else { text });
    }
    out
}

/// What VNI puts behind a vowel: the mark is one byte, a shape and a tone in one, in the letters of windows-1252.
const fn vni_mark(mark: char) -> Option<&'static str> {
    Some(match mark {
        'Ù' | 'ù' => "\u{301}",
        'Ø' | 'ø' => "\u{300}",
        'Û' | 'û' => "\u{309}",
        'Õ' | 'õ' => "\u{303}",
        'Ï' | 'ï' => "\u{323}",
        'Â' | 'â' => "\u{302}",
        'Á' | 'á' => "\u{302}\u{301}",
        'À' | 'à' => "\u{302}\u{300}",
        'Å' | 'å' => "\u{302}\u{309}",
        'Ã' | 'ã' => "\u{302}\u{303}",
        'Ä' | 'ä' => "\u{302}\u{323}",
        'Ê' | 'ê' => "\u{306}",
        'É' | 'é' => "\u{306}\u{301}",
        'È' | 'è' => "\u{306}\u{300}",
        'Ú' | 'ú' => "\u{306}\u{309}",
        'Ü' | 'ü' => "\u{306}\u{303}",
        'Ë' | 'ë' => "\u{306}\u{323}",
        _ => return None,
    })
}

/// The letters that VNI writes in one byte.
const fn vni_letter(letter: char) -> char {
    match letter {
        'Ô' => 'Ơ',
        'ô' => 'ơ',
        'Ö' => 'Ư',
        'ö' => 'ư',
        'Ñ' => 'Đ',
        'ñ' => 'đ',
        'Æ' => 'Ỉ',
        'æ' => 'ỉ',
        'Ó' => 'Ĩ',
        'ó' => 'ĩ',
        'Ò' => 'Ị',
        'ò' => 'ị',
        'Î' => 'Ỵ',
        'î' => 'ỵ',
        other => other,
    }
}

/// Whether a vowel takes this mark: a breve stands on `a` alone, a circumflex on `a`, `e` and `o`.
fn vni_takes(vowel: char, mark: &str) -> bool {
    match (vowel.to_ascii_lowercase(), mark.chars().next()) {
        ('a', _) => true,
        ('e' | 'o', shape) => shape != Some('\u{306}'),
        ('u' | 'y' | 'ô' | 'ö' | 'Ô' | 'Ö', shape) => !matches!(shape, Some('\u{302}' | '\u{306}')),
        _ => false,
    }
}

/// Decodes VNI for Windows: vowels with their marks behind them. The text is not composed.
pub(crate) fn vni(bytes: &[u8]) -> String {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut before = None;
    for c in text.chars() {
        let mark = before.and_then(|vowel| vni_mark(c).filter(|mark| vni_takes(vowel, mark)));
        match mark {
            Some(mark) => out.push_str(mark),
            None => out.push(vni_letter(c)),
        }
        before = mark.is_none().then_some(c);
    }
    out
}
