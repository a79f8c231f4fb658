//! The bearer token, compared in constant time.

use subtle::ConstantTimeEq;

/// A secret that requests bring as `Authorization: Bearer ...`.
#[derive(Clone)]
pub struct Token(String);

/// A token that protects nothing, or that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token must have at least {} visible ASCII characters and no space; make one with `openssl rand -hex 32`",
    Token::LEAST
)]
pub struct TokenError;

impl Token {
    /// Fewer characters can be guessed.
    pub const LEAST: usize = 16;

    /// A token of a text, whose surrounding white space (a file's last line break) does not count.
    ///
    /// # Errors
    /// A text that is too short or cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let fits = text.len() >= Self::LEAST && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(TokenError) }
    }

    /// Whether the value of an `Authorization` header brings this token. How long it takes shows nothing but the length.
    pub fn is_in(&self, header: &[u8]) -> bool {
        let Some((scheme, given)) = header.split_at_checked(7) else { return false };
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(given.ct_eq(self.0.as_bytes()))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(secret)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_let_in() {
        let token = Token::new("0123456789abcdef\n").unwrap();
        assert!(token.is_in(b"Bearer 0123456789abcdef") && token.is_in(b"bearer 0123456789abcdef"));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcdef0",
            "Basic 0123456789abcdef",
        ] {
            assert!(!token.is_in(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "Token(secret)");
    }

    #[test]
    fn weak_tokens_are_refused() {
        for weak in ["", "short", "0123456789 abcdef", "0123456789äbcdef"] {
            assert_eq!(Token::new(weak).unwrap_err(), TokenError, "{weak}");
        }
    }
}
