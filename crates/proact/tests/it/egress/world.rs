//! What the egress tests have in common: a channel behind TLS, names that mean what a test says, tokens that are counted, and a canary.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::{BoxFuture, FutureExt, ready};
use proact::{
    egress::{BearerToken, Resolve, TokenError, TokenSource},
    testkit::FakeChannel,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// A fake channel behind TLS.
pub(crate) struct SecureChannel {
    pub(crate) channel: FakeChannel,
    pub(crate) port: u16,
    /// The certificate that it proves itself by.
    pub(crate) root: String,
}

impl SecureChannel {
    /// Starts one at `address`, whose certificate is for `names`.
    pub(crate) async fn start(address: &str, names: &[&str]) -> Self {
        let channel = FakeChannel::start();
        let (port, root) = tls_before(channel.port(), address, names).await;
        Self { channel, port, root }
    }
}

/// Puts TLS in front of a port of 127.0.0.1, at `address`: the port there, and the certificate that it proves itself by.
pub(crate) async fn tls_before(behind: u16, address: &str, names: &[&str]) -> (u16, String) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (root, acceptor) = identity(names);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let Ok(mut inside) = TcpStream::connect(("127.0.0.1", behind)).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (port, root)
}

/// A root certificate, and a server that proves itself by it.
fn identity(names: &[&str]) -> (String, TlsAcceptor) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = root.self_signed(&root_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(leaf.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

/// Names and what they resolve to: one answer after the other, the last one again and again.
#[derive(Debug, Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    pub(crate) asked: AtomicUsize,
}

impl Names {
    pub(crate) fn are(&self, name: &str, answers: &[&[&str]]) {
        let answers = answers.iter().map(|it| it.iter().map(|address| address.parse().unwrap()).collect());
        self.answers.lock().unwrap().insert(name.to_owned(), answers.collect());
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.get_mut(name) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => None,
        };
        ready(answer.ok_or_else(|| io::Error::other("no such name"))).boxed()
    }
}

/// Gives `first`, and another token after each that was refused; or none at all.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) asked: AtomicUsize,
    pub(crate) refused: Mutex<Vec<String>>,
    pub(crate) fails: Mutex<Option<TokenError>>,
}

impl Tokens {
    /// What they begin with: nothing that is shown may contain it.
    pub(crate) const MARK: &'static str = "t0ken";
}

impl TokenSource for Tokens {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<BearerToken, TokenError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let number = self.refused.lock().unwrap().len();
        let token = match self.fails.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(BearerToken::new(format!("{}-{scope}-{number}", Self::MARK))),
        };
        ready(token).boxed()
    }

    fn refused(&self, _scope: &str, token: &BearerToken) {
        self.refused.lock().unwrap().push(token.expose().to_owned());
    }
}

/// What must never be reached: whoever connects is counted.
#[derive(Debug)]
pub(crate) struct Canary {
    pub(crate) port: u16,
    reached: Arc<AtomicUsize>,
}

impl Canary {
    /// At 127.0.0.1 and `::1`, on `port` of the first if it is not 0.
    pub(crate) async fn start(port: u16) -> Self {
        let reached = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut listeners = vec![listener];
        // A machine without IPv6 has no second one.
        listeners.extend(TcpListener::bind(("::1", port)).await);
        for listener in listeners {
            let reached = Arc::clone(&reached);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    reached.fetch_add(1, Ordering::SeqCst);
                    drop(stream);
                }
            });
        }
        Self { port, reached }
    }

    /// How often it was reached: what knocked before this was called is counted, because a listener takes its visitors in turn.
    pub(crate) async fn reached(&self) -> usize {
        let before = self.reached.load(Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)).await.unwrap());
        while self.reached.load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
        let v6 = TcpStream::connect(("::1", self.port)).await.is_ok();
        while v6 && self.reached.load(Ordering::SeqCst) < before + 2 {
            tokio::task::yield_now().await;
        }
        let own = 1 + usize::from(v6);
        let all = self.reached.fetch_sub(own, Ordering::SeqCst);
        all - own
    }
}
