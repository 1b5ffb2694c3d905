//! Any text is a vaulted one or not, and what is not is refused; any marker is read back as it was written.
#![no_main]

use housewright::secret::vault::VaultText;
use housewright::secret::{MARKER_END, MARKER_START, Secret, SecretRef, mask_markers, without_markers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The first byte says how often the body's digits are digits of digits, so that the inner parts are reached too.
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let body = text.split('\n').map(hex).collect::<Vec<_>>().join("\n");
    for text in [text.to_owned(), format!("$ANSIBLE_VAULT;1.1;AES256\n{text}"), format!("$ANSIBLE_VAULT;1.2;AES256;id\n{}", hex(&body))] {
        if let Ok(vault) = VaultText::parse(&text) {
            assert!(vault.decrypt(&Secret::new(b"no password".to_vec())).is_err());
        }
    }
    let masked = mask_markers(text);
    assert!(!masked.contains([MARKER_START, MARKER_END]));
    assert!(!without_markers(text).contains([MARKER_START, MARKER_END]));
    if let Some(reference) = SecretRef::parse(text) {
        let marker = reference.marker();
        assert_eq!(SecretRef::from_marker(marker.trim_matches([MARKER_START, MARKER_END])), Some(reference));
    }
});
