//! The part of AWS that the contenders use: an HTTPS endpoint that answers DynamoDB's requests from
//! the in-memory store, and accepts CloudWatch's metrics.

use std::cell::RefCell;
use std::convert::Infallible;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use referee::store::Memory;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::database;

/// The files in which operating systems store their trusted certificates.
const SYSTEM_CERTIFICATES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// The endpoint.
pub(crate) struct Endpoint {
    /// The endpoint's URL.
    pub(crate) url: String,
    /// The file with the endpoint's certificate, for programs that have built-in certificates and
    /// must trust this one too.
    pub(crate) certificate: PathBuf,
    /// The file with the system's certificates and the endpoint's own, for programs that use the
    /// system's certificates.
    pub(crate) certificates: PathBuf,
    store: Rc<RefCell<Memory>>,
    _folder: tempfile::TempDir,
}

impl Endpoint {
    /// Starts the endpoint. Its store has no tables yet.
    pub(crate) async fn start() -> Self {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()])
            .expect("a certificate can be created");
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let certificate = folder.path().join("certificate.pem");
        let certificates = folder.path().join("certificates.pem");
        let mut trusted = SYSTEM_CERTIFICATES
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        trusted.push_str(&identity.cert.pem());
        std::fs::write(&certificate, identity.cert.pem()).expect("the certificate can be written");
        std::fs::write(&certificates, trusted).expect("the certificates can be written");

        let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert.der().clone()], key)
            .expect("the certificate matches the key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let store = Rc::new(RefCell::new(Memory::new([])));
        tokio::task::spawn_local(listen(listener, acceptor, Rc::clone(&store)));
        let url = format!("https://localhost:{port}");
        Self { url, certificate, certificates, store, _folder: folder }
    }

    /// Replaces the store.
    pub(crate) fn set_store(&self, store: Memory) {
        self.store.replace(store);
    }

    /// Calls a function with the current store.
    pub(crate) fn with_store<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.store.borrow())
    }
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor, store: Rc<RefCell<Memory>>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let (acceptor, store) = (acceptor.clone(), Rc::clone(&store));
        tokio::task::spawn_local(async move {
            connection.set_nodelay(true).expect("the option can be set");
            // Accepting fails if a killed contender did not complete its connection.
            let Ok(connection) = acceptor.accept(connection).await else { return };
            let service = service_fn(|request| answer(&store, request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

async fn answer(
    store: &RefCell<Memory>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target");
    let operation = target
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.strip_prefix("DynamoDB_20120810."))
        .map(str::to_owned);
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let response = Response::builder();
    let response = if let Some(operation) = operation {
        let body = body.unwrap_or_default();
        let (status, body) = database::answer(&store.borrow(), &operation, &body);
        response
            .status(status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::from(body))
    } else {
        // The answer to CloudWatch's `PutMetricData` is an empty map in CBOR.
        response
            .header("content-type", "application/cbor")
            .header("smithy-protocol", "rpc-v2-cbor")
            .body(Full::from(vec![0xa0]))
    };
    Ok(response.expect("the headers are valid"))
}
