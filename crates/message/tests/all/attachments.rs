//! The text of attachments: of files that other programs made, and of files that mean harm.

use congvu_message::{TextLimits, attachment_texts, parse_structure};
use std::{fmt::Write as _, fs, io::Write as _, path::Path, time::Instant};

fn message(name: &str, content: &[u8]) -> Vec<u8> {
    // A boundary that a message within does not have.
    let b = format!("b{}b", content.len());
    let mut raw = format!(
        "Content-Type: multipart/mixed; boundary={b}\r\n\r\n--{b}\r\n\r\ntext\r\n--{b}\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )
    .into_bytes();
    raw.extend_from_slice(content);
    raw.extend_from_slice(format!("\r\n--{b}--\r\n").as_bytes());
    raw
}

fn text_of(name: &str, content: &[u8]) -> String {
    let raw = message(name, content);
    let found = attachment_texts(&raw, &parse_structure(&raw), &TextLimits::default());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, name);
    found[0].text.clone()
}

fn data(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/attachments").join(name)).unwrap()
}

#[test]
fn files_that_other_programs_made_are_read() {
    const NATION: &str = "Cộng hoà xã hội chủ nghĩa Việt Nam";
    const BUDGET: &str = "Dự toán năm 2026: 1.250.000 đồng & phụ lục <1>";
    for (name, expected) in [
        (
            "docx.docx",
            &[NATION, BUDGET, "Họ tên\nNguyễn Văn Hùng", "Tiêu đề trang", "Đoạn nghiêng\tsau tab"][..],
        ),
        ("tcvn3.docx", &[NATION]),
        ("xlsx.xlsx", &["Khoản mục\tSố tiền\nVăn phòng phẩm\t1250000\nKhoản mục\t1", "Trang hai"]),
        ("pptx.pptx", &["Báo cáo tuần\nViệc đã làm"]),
        ("odt.odt", &[NATION, BUDGET]),
        ("ods.ods", &["Khoản mục", "Văn phòng phẩm", "1250000"]),
        ("reportlab.pdf", &[NATION, BUDGET, "A plain line (with parentheses)", "Trang hai"]),
        ("objstm.pdf", &[NATION, BUDGET, "A plain line (with parentheses)", "Trang hai"]),
        ("chromium.pdf", &[NATION, "Kính gửi: Ban Quản lý các dự án đầu tư", "Nguyễn Văn Hùng"]),
    ] {
        // The name says nothing: the bytes do.
        let text = text_of("tep", &data(name));
        for words in expected {
            assert!(text.contains(words), "{name}: {words:?} in {text:?}");
        }
    }
}

/// Packs bytes as zlib does.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of one entry.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let zlib = packed(content);
    let data = &zlib[2..zlib.len() - 4];
    let fields = |out: &mut Vec<u8>| {
        out.extend([20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        out.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend([0, 0]);
    };
    let mut out = b"PK\x03\x04".to_vec();
    fields(&mut out);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(data);
    let directory = u32::try_from(out.len()).unwrap();
    out.extend_from_slice(b"PK\x01\x02\x14\x00");
    fields(&mut out);
    out.extend([0; 14]);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0");
    out.extend(directory.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A file of objects, numbered from 1; the first is the catalog.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    for (number, object) in (1..).zip(objects) {
        out.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    out.extend_from_slice(b"trailer <</Root 1 0 R>>\n%%EOF");
    out
}

fn stream(dict: &str, content: &[u8]) -> Vec<u8> {
    let mut out = format!("<<{dict} /Length {}>>\nstream\n", content.len()).into_bytes();
    out.extend_from_slice(content);
    out.extend_from_slice(b"\nendstream");
    out
}

/// A file of one page with this content; `others` follow from object 5.
fn page(content: Vec<u8>, others: &[Vec<u8>]) -> Vec<u8> {
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        b"<</Type/Page/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>>>".to_vec(),
        content,
    ];
    objects.extend_from_slice(others);
    pdf(&objects)
}

const FONT: &[u8] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";

#[test]
fn simple_pages_are_read() {
    let shown = |content: &str| text_of("a.pdf", &page(stream("", content.as_bytes()), &[FONT.to_vec()]));
    assert_eq!(shown("BT /F 10 Tf 9 9 Td (one) Tj 0 -12 Td (t\\167o) Tj ET"), "one\ntwo\n");
    assert_eq!(shown("BT /F 10 Tf [(wo) 20 (rd) -300 (next)] TJ ET"), "word next\n");
    // A form, its own font; an inline image between.
    let form = stream("/Subtype/Form/Resources<</Font<</F 5 0 R>>>>", b"BT /F 9 Tf (form) Tj ET");
    let content = stream("", b"BI /W 1 ID (\x00\xff EI BT /F 9 Tf (page) Tj ET 1 0 0 1 0 -50 cm /X Do");
    assert_eq!(text_of("a.pdf", &page(content, &[FONT.to_vec(), form])), "page\nform\n");
    // Differences by name, and letters of a font older than Unicode.
    let named =
        b"<</Subtype/Type1/Encoding<</Differences[65/ecircumflexdotbelow/uni0111 /dcroat]>>>>".to_vec();
    assert_eq!(text_of("a.pdf", &page(stream("", b"BT /F 9 Tf (ABC) Tj ET"), &[named])), "ệđđ\n");
    let old = b"<</Subtype/TrueType/BaseFont/ABCDEF+.VnTime/Encoding/WinAnsiEncoding>>".to_vec();
    assert_eq!(text_of("a.pdf", &page(stream("", b"BT /F 9 Tf (Vi\xd6t) Tj ET"), &[old])), "Việt\n");
}

#[test]
fn bombs_and_cycles_end() {
    let word = |inner: &str| format!("<w:document><w:p><w:t>first {inner}</w:t></w:p></w:document>");
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("unpacked", archive("word/document.xml", word(&"a".repeat(20 << 20)).as_bytes())),
        ("deep", archive("word/document.xml", word(&"<w:t>".repeat(1 << 18)).as_bytes())),
        ("strings", archive("xl/workbook.xml", "<c t=\"s\"><v>1</v></c>".repeat(1 << 16).as_bytes())),
    ];
    let mut entities = String::from("<!DOCTYPE x [<!ENTITY a0 \"ha\">");
    for level in 1..30 {
        let _ = write!(entities, "<!ENTITY a{level} \"&a{0};&a{0};\">", level - 1);
    }
    files.push((
        "entities",
        archive("word/document.xml", format!("{entities}]>{}", word("&a29;")).as_bytes()),
    ));
    let bomb = packed(&b"BT /F 1 Tf (x) Tj ET ".repeat(1 << 20));
    let bomb = stream("/Filter/FlateDecode", &bomb);
    files.push(("content", page(bomb, &[FONT.to_vec()])));
    files.push(("arrays", page(stream("", &b"[".repeat(4 << 20)), &[FONT.to_vec()])));
    files.push(("many", page(stream("", &b"[1 ".repeat(1 << 20)), &[FONT.to_vec()])));
    let itself = stream("/Subtype/Form/Resources<</XObject<</X 6 0 R>>>>", &b"/X Do ".repeat(100_000));
    files.push(("forms", page(stream("", b"/X Do"), &[FONT.to_vec(), itself])));
    let ranges = "<0000><ffff><0041>".repeat(10_000);
    let map = stream("", format!("beginbfrange {ranges} endbfrange").as_bytes());
    let font = b"<</Subtype/Type0/ToUnicode 6 0 R/DescendantFonts[<</W 7 0 R>>]>>".to_vec();
    let widths = format!("[{}]", "0 65535 1 ".repeat(100_000)).into_bytes();
    files.push(("ranges", page(stream("", b"BT /F 1 Tf (ab) Tj ET"), &[font, map, widths])));
    let tree = [
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        format!("<</Kids[{}]>>", "2 0 R ".repeat(100_000)).into_bytes(),
    ];
    files.push(("pages", pdf(&tree)));
    let inline = format!("<</Kids[{}]>>", "<</Kids[2 0 R]>>".repeat(100_000)).into_bytes();
    files.push(("kids", pdf(&[tree[0].clone(), inline])));
    files.push(("chain", pdf(&[b"<</Pages 2 0 R>>".to_vec(), b"2 0 R".to_vec(), b"2 0 R".to_vec()])));
    let mut streams = b"%PDF-1.5 /Root 1 0 R ".to_vec();
    let inner = packed(&[b"1 0 ".repeat(1 << 20), b"[1 ".repeat(1 << 20)].concat());
    for number in 1..200 {
        streams.extend(format!("{number} 0 obj ").into_bytes());
        streams.extend(stream("/Type/ObjStm/N 1000000/First 9/Filter/FlateDecode", &inner));
    }
    files.push(("streams", streams));
    files.push((
        "unclosed",
        [b"%PDF-1.5 /Root 1 0 R ".to_vec(), b"1 0 obj<</Kids[1 0 R]/Pages 1 0 R>>stream ".repeat(50_000)]
            .concat(),
    ));
    for (name, file) in files {
        let started = Instant::now();
        let raw = message(name, &file);
        let limits = TextLimits { steps: 2_000_000, ..TextLimits::default() };
        let text = attachment_texts(&raw, &parse_structure(&raw), &limits).remove(0).text;
        println!("{name}: {} bytes, {:?}", text.len(), started.elapsed());
        assert!(text.len() <= TextLimits::default().attachment_bytes, "{name}");
    }
}

#[test]
fn what_is_cut_off_or_damaged_gives_what_is_there() {
    for name in ["docx.docx", "xlsx.xlsx", "odt.odt", "reportlab.pdf", "objstm.pdf", "chromium.pdf"] {
        let whole = data(name);
        for cut in (0..whole.len()).step_by(whole.len() / 40 + 1) {
            let _ = text_of(name, &whole[..cut]);
            let mut damaged = whole.clone();
            for byte in damaged[cut..].iter_mut().step_by(997) {
                *byte = byte.wrapping_mul(7).wrapping_add(1);
            }
            let _ = text_of(name, &damaged);
        }
    }
}

#[test]
fn texts_pages_and_messages_within_are_read() {
    assert_eq!(text_of("a.txt", "Kính gửi".as_bytes()), "Kính gửi");
    assert_eq!(text_of("a.csv", b"H\xb5 N\xe9i,Vi\xd6t Nam"), "Hà Nội,Việt Nam");
    let utf16: Vec<u8> = "\u{feff}Việt".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(text_of("a.txt", &utf16), "Việt");
    assert_eq!(text_of("a.html", b"<style>p{}</style><p>words</p>").trim(), "words");
    assert_eq!(text_of("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "");
    assert_eq!(text_of("a.exe", b"MZ text"), "");
    let inner = message("trong.txt", b"the file");
    let inner = [b"Subject: =?utf-8?Q?b=C3=A1o_c=C3=A1o?=\r\n".to_vec(), inner].concat();
    let text = text_of("a.eml", &inner);
    for words in ["báo cáo", "text", "trong.txt", "the file"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A message that holds itself many times over is not read for ever.
    let nested = (0..30).fold(b"end".to_vec(), |inner, _| message("a.eml", &inner));
    assert!(text_of("a.eml", &nested).len() < 2_000);
}

#[test]
fn the_text_of_all_attachments_is_bounded() {
    let part =
        format!("--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n{}\r\n", "ệ ".repeat(1_000));
    let raw = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", part.repeat(20));
    let limits = TextLimits { attachment_bytes: 1_001, message_bytes: 10_000, ..TextLimits::default() };
    let found = attachment_texts(raw.as_bytes(), &parse_structure(raw.as_bytes()), &limits);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|one| one.text.len() <= 1_001 && one.name == "a.txt"));
    let all: usize = found.iter().map(|one| one.text.len()).sum();
    assert!((9_000..=10_000).contains(&all), "{all}");
}
