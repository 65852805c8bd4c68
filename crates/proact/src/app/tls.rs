//! TLS by configuration: a certificate and its key from PEM files, read again when they change.
//!
//! TLS 1.3 and 1.2, with the cipher suites that rustls offers; no client certificates. A pair that cannot be used is an error that
//! names the file. When a running server finds new files (certificates are renewed every few weeks), new connections get them; files that
//! cannot be used then are logged, and the certificate that there is stays: it may be half a renewal.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What a server proves itself by. Cheap to clone; clones are renewed together.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
    /// When the two files were written that are in use, or that were found unusable.
    written: Mutex<Written>,
}

type Written = [Option<SystemTime>; 2];

/// Why there is no TLS. Its text names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error(
        "cannot read {path} ({source}): `tls.cert` and `tls.key` must name PEM files that this program may read"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no certificate in the file.
    #[error(
        "{path} holds no certificate that can be read: it must be PEM, with the server's own certificate first (-----BEGIN CERTIFICATE-----)"
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no key in the file.
    #[error(
        "{path} holds no private key that can be read: it must be PEM, and not encrypted (-----BEGIN PRIVATE KEY-----)"
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error(
        "the key in {key} is not that of the certificate in {certificate}: both must be from one renewal, and the server's own certificate the first"
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// They cannot be used for another reason.
    #[error("{path} cannot be used for TLS: {reason}")]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why, in the words of the TLS library.
        reason: String,
    },
}

impl Tls {
    /// Reads the certificate (its chain after it) and the key, both PEM.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be used.
    pub fn load(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.into(), key.into());
        // Before they are read: what is written in between is found later.
        let written = [written(&certificate), written(&key)];
        let config = ArcSwap::from_pointee(read(&certificate, &key)?);
        Ok(Self(Arc::new(Inner { certificate, key, config, written: Mutex::new(written) })))
    }

    /// Reads the files again if they are others than before; says whether they were, and can be used.
    ///
    /// # Errors
    /// [`TlsError`]: what there was is used on, and the same files are not tried again.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let Inner { certificate, key, config, written: before } = &*self.0;
        let now = [written(certificate), written(key)];
        {
            let mut before = before.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if *before == now {
                return Ok(false);
            }
            *before = now;
        }
        config.store(Arc::new(read(certificate, key)?));
        Ok(true)
    }

    /// [`reload`](Self::reload), and the log says what came of it.
    pub(super) fn renew(&self) {
        match self.reload() {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!(certificate = %self.0.certificate.display(), "a new certificate is in use")
            }
            Err(error) => {
                tracing::error!(%error, "a new certificate cannot be used: the one before is used on")
            }
        }
    }

    /// The server's side of a handshake.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(self.0.config.load_full()).accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.0.certificate).finish_non_exhaustive()
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let bytes =
        |path: &Path| std::fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source });
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(certificate)?).collect();
    let no_certificate = || TlsError::NoCertificate { path: certificate.to_owned() };
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(no_certificate)?;
    // What the parser says stays out: it could repeat what is in there.
    let secret =
        PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|_| TlsError::NoKey { path: key.to_owned() })?;
    config(chain, secret).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        rustls::Error::InvalidCertificate(_) => no_certificate(),
        other => TlsError::Unusable { path: certificate.to_owned(), reason: other.to_string() },
    })
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A certificate and its key, PEM.
    fn made() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn of(certificate: &str, key: &str) -> Self {
            let files = Self { folder: tempfile::tempdir().unwrap() };
            files.write(certificate, key);
            files
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, certificate: &str, key: &str) {
            fs::write(self.path("cert.pem"), certificate).unwrap();
            fs::write(self.path("key.pem"), key).unwrap();
        }

        /// As if written so much later: clocks of file systems are coarse.
        fn touch(&self, seconds: u64) {
            for name in ["cert.pem", "key.pem"] {
                let file = fs::File::options().write(true).open(self.path(name)).unwrap();
                file.set_modified(SystemTime::now() + std::time::Duration::from_secs(seconds)).unwrap();
            }
        }

        fn load(&self) -> Result<Tls, TlsError> {
            Tls::load(self.path("cert.pem"), self.path("key.pem"))
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let ((certificate, key), (_, other_key)) = (made(), made());
        assert!(Files::of(&certificate, &key).load().is_ok());
        let refused = |certificate: &str, key: &str| {
            let files = Files::of(certificate, key);
            let error = files.load().unwrap_err();
            let text = error.to_string();
            assert!(text.contains(files.folder.path().to_str().unwrap()), "{text}");
            assert!(!text.contains("MII") && !text.contains('\n'), "{text}");
            error
        };
        assert!(matches!(refused("", &key), TlsError::NoCertificate { .. }));
        assert!(matches!(refused(&key, &key), TlsError::NoCertificate { .. }));
        let broken = certificate.replace("MII", "MMM");
        assert!(matches!(refused(&broken, &key), TlsError::NoCertificate { .. } | TlsError::Unusable { .. }));
        assert!(matches!(refused(&certificate, ""), TlsError::NoKey { .. }));
        assert!(matches!(refused(&certificate, &certificate), TlsError::NoKey { .. }));
        assert!(matches!(refused(&certificate, &other_key), TlsError::Mismatch { .. }));
        let gone = Tls::load("/nowhere/cert.pem", "/nowhere/key.pem").unwrap_err();
        assert!(
            matches!(&gone, TlsError::Read { path, .. } if path == Path::new("/nowhere/cert.pem")),
            "{gone}"
        );
    }

    #[test]
    fn new_files_are_used_and_unusable_ones_are_not() {
        let ((certificate, key), (new_certificate, new_key)) = (made(), made());
        let files = Files::of(&certificate, &key);
        let tls = files.load().unwrap();
        let first = tls.0.config.load_full();
        assert!(!tls.reload().unwrap());
        files.write(&new_certificate, &key);
        files.touch(10);
        assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })), "half a renewal");
        assert!(Arc::ptr_eq(&first, &tls.0.config.load_full()));
        assert!(!tls.reload().unwrap(), "it is not tried over and over");
        files.write(&new_certificate, &new_key);
        files.touch(20);
        assert!(tls.reload().unwrap());
        assert!(!Arc::ptr_eq(&first, &tls.0.config.load_full()));
        fs::remove_file(files.path("key.pem")).unwrap();
        assert!(tls.reload().is_err());
        assert!(!tls.reload().unwrap());
    }
}
