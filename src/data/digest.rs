//! Hashes, of whole values or piece by piece.

use sha2::Digest;

/// The names of the algorithms, as scripts write them.
pub(crate) const NAMES: [&str; 4] = ["sha256", "sha512", "sha1", "md5"];

/// A hash that is being made.
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
    Sha1(sha1::Sha1),
    Md5(md5::Md5),
}

impl Hasher {
    /// By the name of the algorithm, `sha-256` and the like included.
    pub fn new(name: &str) -> Option<Self> {
        match name.replace('-', "").to_ascii_lowercase().as_str() {
            "sha256" => Some(Self::Sha256(sha2::Sha256::new())),
            "sha512" => Some(Self::Sha512(sha2::Sha512::new())),
            "sha1" => Some(Self::Sha1(sha1::Sha1::new())),
            "md5" => Some(Self::Md5(md5::Md5::new())),
            _ => None,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
        }
    }

    /// The hash, in hexadecimal digits.
    pub fn finish(self) -> String {
        match self {
            Self::Sha256(hasher) => super::codes::hex(&hasher.finalize()),
            Self::Sha512(hasher) => super::codes::hex(&hasher.finalize()),
            Self::Sha1(hasher) => super::codes::hex(&hasher.finalize()),
            Self::Md5(hasher) => super::codes::hex(&hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of the standards for `abc`, and of `sha256sum < /dev/null` and its like.
    #[test]
    fn the_standards_agree() {
        let hash = |name: &str, text: &str| {
            let mut hasher = Hasher::new(name).unwrap();
            text.bytes().for_each(|byte| hasher.update(&[byte]));
            hasher.finish()
        };
        assert_eq!(hash("md5", "abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hash("SHA-1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hash("sha256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(hash("sha512", "abc").starts_with("ddaf35a193617abacc417349ae204131"));
        assert_eq!(hash("sha256", ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(Hasher::new("sha3").is_none() && NAMES.iter().all(|name| Hasher::new(name).is_some()));
    }
}
