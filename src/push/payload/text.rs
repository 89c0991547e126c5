//! Texts of strangers, made fit to stand in a notification.

/// Cuts a text off at a character's boundary, at most `bytes` long.
pub(in crate::push) fn truncate(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}
