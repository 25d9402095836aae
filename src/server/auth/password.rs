//! Password hashes, of the kinds that `htpasswd` and `openssl passwd` make.

use std::fmt;

use sha_crypt::{PasswordHashRef, PasswordVerifier, ShaCrypt};

use super::apr1;

/// How a password is hashed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Password {
    /// `$2y$…`
    Bcrypt(String),
    /// `$5$…` and `$6$…`
    ShaCrypt(String),
    /// `$apr1$…`
    Apr1(String),
}

impl Password {
    /// Reads a hash. A kind that is no protection any more is refused, as one that nobody knows is.
    pub(super) fn parse(hash: &str) -> Result<Self, String> {
        match hash {
            hash if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| hash.starts_with(kind)) => {
                hash.parse::<bcrypt::HashParts>().map_err(|_| "the bcrypt hash is damaged")?;
                Ok(Self::Bcrypt(hash.to_owned()))
            }
            hash if hash.starts_with("$5$") || hash.starts_with("$6$") => {
                PasswordHashRef::new(hash).map_err(|_| "the SHA-crypt hash is damaged")?;
                Ok(Self::ShaCrypt(hash.to_owned()))
            }
            hash if apr1::is_one(hash) => Ok(Self::Apr1(hash.to_owned())),
            _ => Err("the password is not hashed by bcrypt, SHA-crypt or apr1; `htpasswd -B` does it".into()),
        }
    }

    /// Whether it is the hash of a password. This takes milliseconds, on purpose.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::ShaCrypt(hash) => {
                PasswordHashRef::new(hash).is_ok_and(|hash| ShaCrypt::default().verify_password(password, hash).is_ok())
            }
            Self::Apr1(hash) => apr1::verify(password, hash),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_other_programs_are_verified() {
        for hash in [
            "$5$JLK2PJXGsrVJcpQW$t2rO8xxnVgbMOX9.wy3tZzUTL9aCzd1f62TC1rnCse2",
            "$6$nOVneUHJzPpft6Tb$GMYhEnJzqq5yfijj2VcLF8rMsddqhRIlmbCxVmhF1Zbud1.tTOjppEAgqmuKQvYoCL7dKfQHPYXaLlqk8UJun/",
            "$apr1$/fQdQzkn$Q2aLLE1y3fZrL3UMs34QU/",
            "$6$rounds=2000$saltsalt$vOwPp7f9AKDzRERK6xIYVaRIBiHEWYLBMQwu2KHz8FaLL.L4gzTfyacsdjKFZEFW8.MuNuPpCnmTdtuXHS9ck.",
            "$2b$05$2AYdYJ9s4bchIR5/zzDH4u3ODJ.Vl8Rr2rW3afMYww1dQnV.T28dC",
        ] {
            let password = Password::parse(hash).unwrap();
            assert!(password.verify(b"espresso") && !password.verify(b"Espresso") && !password.verify(b""), "{hash}");
        }
    }

    #[test]
    fn other_kinds_are_refused() {
        for hash in
            ["", "espresso", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "$1$ab$x", "$2y$05$short", "$6$", "$apr1$ab$x"]
        {
            assert!(Password::parse(hash).is_err(), "{hash}");
        }
    }
}
