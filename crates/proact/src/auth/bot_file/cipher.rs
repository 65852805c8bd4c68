//! The ciphers of .bot files.
//!
//! A value is encrypted with AES-256-CBC and PKCS#7 padding under a key that is the base64 of 32 bytes, and written as
//! `base64(iv)!base64(ciphertext)` with a random `iv` of 16 bytes. Nothing authenticates it: a wrong key mostly, but not always, shows by
//! its padding. That is why a file has a padlock.
//!
//! The oldest files were encrypted by `createDecipher('aes192', secret)` of Node.js, written in hex: AES-192-CBC under a key and
//! an `iv` that OpenSSL's `EVP_BytesToKey` makes of any text with MD5, once and without salt. Those are only read.
//!
//! Source: `encrypt.ts` of `botframework-config`, and OpenSSL's documentation of `EVP_BytesToKey`.

use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use md5::{Digest as _, Md5};

use crate::activity::SecretText;

type Encryptor = cbc::Encryptor<aes::Aes256>;
type Decryptor = cbc::Decryptor<aes::Aes256>;
type LegacyDecryptor = cbc::Decryptor<aes::Aes192>;

/// Written with padding, read also without, as Node.js does.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key of a file.
pub(super) struct Key([u8; 32]);

impl Key {
    /// The key that `secret` is the base64 of; `None` when it is not that of 32 bytes.
    pub(super) fn of(secret: &SecretText) -> Option<Self> {
        let bytes = BASE64.decode(secret.expose().trim()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// A new one, as the text that people keep.
    pub(super) fn generate() -> SecretText {
        BASE64.encode(rand::random::<[u8; 32]>()).into()
    }

    /// Encrypts `plain` under a new `iv`.
    pub(super) fn encrypt(&self, plain: &str) -> String {
        let iv: [u8; 16] = rand::random();
        let cipher = Encryptor::new(&self.0.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(plain.as_bytes());
        format!("{}!{}", BASE64.encode(iv), BASE64.encode(cipher))
    }

    /// What was encrypted, unless the key is another one or `encrypted` is damaged.
    pub(super) fn decrypt(&self, encrypted: &str) -> Option<String> {
        let (iv, cipher) = parts(encrypted)?;
        let plain = Decryptor::new(&self.0.into(), &iv.into()).decrypt_padded_vec::<Pkcs7>(&cipher).ok()?;
        String::from_utf8(plain).ok()
    }
}

/// Whether a value has the form of an encrypted one.
pub(super) fn is_encrypted(value: &str) -> bool {
    parts(value).is_some()
}

fn parts(encrypted: &str) -> Option<([u8; 16], Vec<u8>)> {
    let (iv, cipher) = encrypted.split_once('!')?;
    let iv = BASE64.decode(iv).ok()?.try_into().ok()?;
    Some((iv, BASE64.decode(cipher).ok()?))
}

/// Whether a value has the form of one that was encrypted in the old way.
pub(super) fn is_legacy(value: &str) -> bool {
    legacy_bytes(value).is_some()
}

/// Decrypts in the old way.
pub(super) fn decrypt_legacy(encrypted: &str, secret: &SecretText) -> Option<String> {
    let bytes = legacy_bytes(encrypted)?;
    let (key, iv) = legacy_key(secret);
    let plain = LegacyDecryptor::new(&key.into(), &iv.into()).decrypt_padded_vec::<Pkcs7>(&bytes).ok()?;
    String::from_utf8(plain).ok()
}

/// `EVP_BytesToKey` with MD5, one round, no salt: each 16 bytes are the digest of those before and the secret.
fn legacy_key(secret: &SecretText) -> ([u8; 24], [u8; 16]) {
    let mut made = [0; 48];
    for at in [0, 16, 32] {
        let mut digest = Md5::new();
        digest.update(&made[at - at.min(16)..at]);
        digest.update(secret.expose().as_bytes());
        made[at..at + 16].copy_from_slice(&digest.finalize());
    }
    let (mut key, mut iv) = ([0; 24], [0; 16]);
    key.copy_from_slice(&made[..24]);
    iv.copy_from_slice(&made[24..40]);
    (key, iv)
}

/// Whole blocks in hex.
fn legacy_bytes(value: &str) -> Option<Vec<u8>> {
    if value.is_empty()
        || !value.len().is_multiple_of(32)
        || !value.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    let pairs = (0..value.len()).step_by(2).map(|at| u8::from_str_radix(&value[at..at + 2], 16));
    pairs.collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_is_decrypted_under_the_same_key_alone() {
        let (key, other) = (Key::of(&Key::generate()).unwrap(), Key::of(&Key::generate()).unwrap());
        for plain in ["", "x", "exactly sixteen!", "schlüssel 🔑", &"long ".repeat(1000)] {
            let encrypted = key.encrypt(plain);
            assert!(is_encrypted(&encrypted) && !is_legacy(&encrypted));
            assert_eq!(key.decrypt(&encrypted).as_deref(), Some(plain));
            assert_ne!(other.decrypt(&encrypted).as_deref(), Some(plain));
            assert_ne!(key.encrypt(plain), encrypted, "an iv is never used twice");
        }
    }

    /// Made with `openssl enc -aes-256-cbc`, so that it is not only ourselves that we agree with.
    #[test]
    fn what_openssl_encrypted_is_decrypted() {
        let secret = "lgCbJPXnfOlatjbBDKMbh0ie6bc8PD/cjqA/2tPgMS0=";
        let encrypted = "AAECAwQFBgcICQoLDA0ODw==!kcgp8ooytrvt+X0JIIgLmQ==";
        let key = Key::of(&secret.into()).unwrap();
        assert_eq!(key.decrypt(encrypted).as_deref(), Some("1234567890"));
        let unpadded = secret.trim_end_matches('=');
        assert!(Key::of(&unpadded.into()).is_some(), "the padding of base64 may be missing, as for Node.js");
    }

    #[test]
    fn a_secret_that_is_not_of_32_bytes_is_no_key() {
        for secret in ["", "bad", "AAAA", "%%%%", &BASE64.encode([0; 31]), &BASE64.encode([0; 33])] {
            assert!(Key::of(&secret.into()).is_none(), "{secret}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        let key = Key::of(&Key::generate()).unwrap();
        let whole = key.encrypt("x");
        let (iv, cipher) = whole.split_once('!').unwrap();
        for value in [
            "",
            "!",
            iv,
            cipher,
            &format!("{iv}!{cipher}!"),
            &format!("!{cipher}"),
            &format!("{iv}!"),
            &format!("AAAA!{cipher}"),
            &format!("{iv}!AAAA"),
        ] {
            assert!(key.decrypt(value).is_none(), "{value}");
        }
    }

    /// The vector of `botframework-config` (`tests/legacy.bot`).
    #[test]
    fn the_old_way_is_read() {
        let secret = "password".into();
        let decrypted = decrypt_legacy("e3d812f210b1044fcb5e71d0f083c2db", &secret);
        assert_eq!(decrypted.as_deref(), Some("xyzpdq"));
        assert_ne!(decrypt_legacy("e3d812f210b1044fcb5e71d0f083c2db", &"Password".into()), decrypted);
        for value in ["", "e3", "e3d812f210b1044fcb5e71d0f083c2d", "g3d812f210b1044fcb5e71d0f083c2db"] {
            assert!(decrypt_legacy(value, &secret).is_none(), "{value}");
        }
    }
}
