//! Legacy Vietnamese text is read right, and honest text is left alone.

use super::*;
use congvu_types::composed;
use proptest::prelude::*;

const TEXT: &str = "Cộng hoà xã hội chủ nghĩa Việt Nam. Độc lập - Tự do - Hạnh phúc. Kính gửi: ông Nguyễn Văn Hùng, \
    về việc thông báo lịch họp giao ban tháng tới; đề nghị các phòng chuẩn bị báo cáo đầy đủ, đúng hạn.";

/// Writes text in a charset by searching what decodes to each character.
fn encode(text: &str, decode: fn(&[u8]) -> String) -> Vec<u8> {
    let mut out = Vec::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c as u8);
            continue;
        }
        let one = (0x80..=0xff).map(|b| vec![b]).find(|b| composed(decode(b)) == c.to_string());
        let two = || {
            let vowels = b"aeiouyAEIOUY\xf4\xf6\xd4\xd6";
            let pairs = vowels.iter().flat_map(|v| (0xc0..=0xff).map(|m| vec![*v, m]));
            pairs.into_iter().find(|b| composed(decode(b)) == c.to_string())
        };
        out.extend(two().or(one).unwrap_or_else(|| panic!("{c}")));
    }
    out
}

fn windows_1258(text: &str) -> Vec<u8> {
    use unicode_normalization::UnicodeNormalization;
    let mut out = Vec::new();
    for c in text.chars() {
        let whole = c.to_string();
        let (bytes, _, has_errors) = WINDOWS_1258.encode(&whole);
        if !has_errors {
            out.extend_from_slice(&bytes);
            continue;
        }
        let tone = |c: &char| "\u{300}\u{301}\u{303}\u{309}\u{323}".contains(*c);
        let base: String = whole.nfd().filter(|c| !tone(c)).nfc().collect();
        let spelled: String = base.chars().chain(whole.nfd().filter(tone)).collect();
        out.extend_from_slice(&WINDOWS_1258.encode(&spelled).0);
    }
    out
}

fn read(label: &str, bytes: &[u8]) -> String {
    composed(decode(label, bytes, None))
}

#[test]
fn declared_charsets_are_read() {
    for (labels, bytes) in [
        (&["viscii", "VISCII1.1-1", "csVISCII", "x-viet-viscii"][..], encode(TEXT, tables::viscii)),
        (&["x-viet-tcvn", "TCVN", "tcvn-5712", "TCVN5712-1:1993"], encode(TEXT, tables::tcvn)),
        (&["x-viet-vni", "VNI", "x-vni"], encode(TEXT, tables::vni)),
        (&["windows-1258", "CP1258", "x-cp1258"], windows_1258(TEXT)),
        (&["utf-8", "UTF8", "utf-8*vi"], TEXT.as_bytes().to_vec()),
    ] {
        for label in labels {
            assert_eq!(read(label, &bytes), TEXT, "{label}");
        }
    }
    assert_eq!(read("viscii", b"\xf0\x02"), "đẲ");
}

/// RFC 1456 §5: the whole table, by what another implementation makes of it.
#[test]
fn tables_have_a_letter_for_each_byte() {
    for decode in [tables::viscii, tables::tcvn] {
        let upper: Vec<u8> = (0x80..=0xff).collect();
        let text = decode(&upper);
        assert_eq!(text.chars().count(), 128);
        let letters: std::collections::HashSet<char> = text.chars().collect();
        assert_eq!(letters.len(), 128);
    }
    assert_eq!(tables::viscii(b"Vi\xaet Nam"), "Việt Nam");
    assert_eq!(tables::tcvn(b"Vi\xd6t Nam"), "Việt Nam");
    assert_eq!(
        composed(tables::vni("Vieät Nam".chars().map(|c| c as u8).collect::<Vec<_>>().as_slice())),
        "Việt Nam"
    );
}

#[test]
fn labels_that_lie_are_seen_through() {
    for (name, bytes) in [
        ("viscii", encode(TEXT, tables::viscii)),
        ("tcvn", encode(TEXT, tables::abc)),
        ("vni", encode(TEXT, tables::vni)),
        ("1258", windows_1258(TEXT)),
        ("utf-8", TEXT.as_bytes().to_vec()),
    ] {
        for label in ["", "us-ascii", "iso-8859-1", "windows-1252", "x-user-defined", "utf-8"] {
            assert_eq!(read(label, &bytes), TEXT, "{name} as {label}");
        }
    }
    // Letters meant for a font, in a message that is Unicode.
    for bytes in [encode(TEXT, tables::abc), encode(TEXT, tables::vni)] {
        let (letters, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
        assert_eq!(read("utf-8", letters.as_bytes()), TEXT);
    }
}

#[test]
fn short_subjects_are_seen_through() {
    for subject in
        ["Thông báo", "Báo cáo tuần", "Giấy mời họp", "Công văn số 12/UBND", "V/v: triệu tập hội nghị"]
    {
        for encoder in [tables::abc, tables::vni, tables::viscii] {
            let bytes = encode(subject, encoder);
            assert_eq!(read("iso-8859-1", &bytes), subject);
        }
    }
    assert_eq!(read("", b"C\xe9NG HO\xb5 VI\xd6T"), "CỘNG HOÀ VIỆT");
}

/// Text in the languages of Latin-1, and Vietnamese that Latin-1 can write.
const HONEST: &[&str] = &[
    "Le café est fermé, été comme hiver; à la rentrée il sera réouvert. Né à Nîmes, André a été élevé à Genève.",
    "né thé",
    "René et Zoé ont bu du thé, du café; né, thé, blé, clé, pré",
    "Não há razão para a reunião de amanhã; é só às três. Irmão, mãe, pão, avó, avô, cão, mão",
    "El niño está aquí: mañana será otro día. ¿Qué? ¡Sí! José, Jesús, más, allí, sólo, raíz, país, baúl, aún",
    "Müller über Straße, größer, schön, Käse, Äpfel, Öl, Übung, dürfen, können, nö",
    "Però la città è più bella; perché no? può, farò, dirò, così, né, già, lì, là, sì, tè, caffè, virtù",
    "på, så, når, går, får, måned, blå, nå; Ærø; smørrebrød, gør, før, sø",
    "Å være eller ikke være. Ö, Ä, Å. för, när, där, här, vår, två, år, får, gå, då, på",
    "Xin chào các bạn", // beyond Latin-1, only as UTF-8
    "Chào các ông bà, tôi là Tô Hà; cám ơn",
    "Chào các ông bà, tôi là Tô Hà; trà, cà phê, bánh mì, lúa, má, cô, bác",
    "10 km² à 5 °C, «citation» 2ª edição n.º 5 Acme® foo© x·y col·legi ±3 µm 50¢",
    "Hélas! Noël, Haïti, naïf, maïs, Saül, Raúl, Moïse, aïeul, caïd, païen, haïr, Caën, Aïda",
    "Vážený pane, děkuji",
    "%s: Benutzer »%s« ist nicht vorhanden",
    "Das Argument zu »s« muss ein Zeichen »sein«",
    "Det går «an» å si «så»",
    "Ελληνικά, русский, 日本語, العربية",
    "ÉCOLE SUPÉRIEURE DE GÉNIE À ORLÉANS, CAFÉ DU MARCHÉ",
];

#[test]
fn honest_text_is_left_alone() {
    for text in HONEST {
        for label in ["", "us-ascii", "utf-8"] {
            assert_eq!(decode(label, text.as_bytes(), None), *text);
        }
        let (bytes, _, has_errors) = WINDOWS_1252.encode(text);
        for label in ["", "us-ascii", "iso-8859-1", "windows-1252", "x-unknown"] {
            let read = decode(label, &bytes, None);
            assert!(has_errors || read == *text, "{label}: {text}: {read}");
        }
        // Each word by itself is a subject that somebody may write.
        for pair in text.split_whitespace().collect::<Vec<_>>().windows(2) {
            let subject = pair.join(" ");
            assert_eq!(decode("utf-8", subject.as_bytes(), None), subject);
        }
    }
}

#[test]
fn fonts_say_what_letters_mean() {
    let page = |font: &str, text: &str| {
        format!("<p style='font-family:\"{font}\"'>{text}</p><a href='https://x.vntime.example'>x</a>")
    };
    let read = |markup: &str| composed(decode_html(Some("utf-8"), markup.as_bytes()));
    assert!(read(&page(".VnTime", "Hµ")).contains("Hà"));
    assert!(read(&page("VNI-Times", "Haø")).contains("Hà"));
    assert!(read(&page("Times", "Hµ")).contains("Hµ"));
    // entities, and other text in Unicode beside
    let mixed = "<font face=.VnArial>C&eacute;ng ho&micro; x&#183; h&eacute;i</font> Việt Nam &amp; caf&eacute; &lt;b&gt;";
    let shown = read(mixed);
    assert!(shown.contains("Cộng hoà xã hội</font> Việt Nam &amp; café &lt;b&gt;"), "{shown}");
    // a page that names its charset itself
    let page = "<meta http-equiv=Content-Type content=\"text/html; charset=viscii\"><p>Vi\u{ae}t";
    let bytes: Vec<u8> = page.chars().map(|c| c as u8).collect();
    assert!(decode_html(None, &bytes).ends_with("Việt"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_panics_and_ascii_stays(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[ -~\r\n\t]{0,200}") {
        for label in ["", "us-ascii", "utf-8", "windows-1252", "windows-1258", "viscii", "x-viet-tcvn", "x-viet-vni", "x-unknown", "*"] {
            let _ = decode(label, &bytes, None);
            let _ = decode_html(Some(label), &bytes);
            let _ = decode(label, &bytes, Some(Hint::Tcvn));
            prop_assert_eq!(&decode(label, text.as_bytes(), None), &text);
            prop_assert_eq!(&decode(label, text.as_bytes(), Some(Hint::Vni)), &text);
        }
    }

    #[test]
    fn encoded_words_never_panic(bytes in "(=\\?|\\?=|[qQbB?=_ a-zA-Z0-9]|utf-8|\\PC){0,60}") {
        let _ = crate::words::decode(bytes.as_bytes());
    }
}
