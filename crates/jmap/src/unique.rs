//! Texts that nobody else makes.

use congvu_types::{Error, Result};

/// Returns 32 hexadecimal digits at random.
pub(crate) fn text() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| Error::fault("making a random text", e))?;
    Ok(bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
