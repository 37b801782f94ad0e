//! What a mail client submits: whose it says it is, and the address parser under that.
#![no_main]

use congvu_message::{mailbox_list, parse_addresses, read_authors, sender_fields};

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let _ = sender_fields(raw);
    let _ = (parse_addresses(raw), mailbox_list(raw), read_authors(raw));
    if let Ok(text) = std::str::from_utf8(raw)
        && let Ok(address) = text.parse::<congvu_types::EmailAddress>()
    {
        let again: congvu_types::EmailAddress = address.to_string().parse().expect("what is shown is read");
        assert_eq!(again.key(), address.key());
    }
});
