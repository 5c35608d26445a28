//! Quotes words for a shell.

/// Quotes a word so that a POSIX shell reads it back unchanged.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote("callback/unknown-id"), "callback/unknown-id");
        assert_eq!(quote("node it's.js {port}"), r"'node it'\''s.js {port}'");
    }
}
