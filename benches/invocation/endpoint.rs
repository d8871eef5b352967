//! AWS, as far as the contenders see of it: an HTTPS endpoint that answers for DynamoDB from the
//! embedded store, and takes CloudWatch's metrics.

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

/// Where a system keeps the certificates that it trusts.
const SYSTEM_CERTIFICATES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// The endpoint.
pub(crate) struct Endpoint {
    /// Its URL.
    pub(crate) url: String,
    /// Its own certificate, to be trusted besides those that a program brings with it.
    pub(crate) certificate: PathBuf,
    /// The same after those of the system, for programs that read these: they do in AWS too.
    pub(crate) certificates: PathBuf,
    store: Rc<RefCell<Memory>>,
    _folder: tempfile::TempDir,
}

impl Endpoint {
    /// Starts to answer, from an empty store without tables.
    pub(crate) async fn start() -> Self {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()])
            .expect("a certificate can be made");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let certificate = folder.path().join("certificate.pem");
        let certificates = folder.path().join("certificates.pem");
        let mut trusted = SYSTEM_CERTIFICATES
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        trusted.push_str(&identity.cert.pem());
        std::fs::write(&certificate, identity.cert.pem()).expect("there is room for it");
        std::fs::write(&certificates, trusted).expect("there is room for the certificates");

        let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert.der().clone()], key)
            .expect("the certificate is of the key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let store = Rc::new(RefCell::new(Memory::new([])));
        tokio::task::spawn_local(listen(listener, acceptor, Rc::clone(&store)));
        let url = format!("https://localhost:{port}");
        Self { url, certificate, certificates, store, _folder: folder }
    }

    /// Answers from this store from now on.
    pub(crate) fn set_store(&self, store: Memory) {
        self.store.replace(store);
    }

    /// Looks into the store.
    pub(crate) fn with_store<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.store.borrow())
    }
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor, store: Rc<RefCell<Memory>>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let (acceptor, store) = (acceptor.clone(), Rc::clone(&store));
        tokio::task::spawn_local(async move {
            connection.set_nodelay(true).expect("a connection takes options");
            // A contender that is stopped leaves without a farewell.
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
        // CloudWatch's `PutMetricData`, which answers with nothing: an empty map in CBOR.
        response
            .header("content-type", "application/cbor")
            .header("smithy-protocol", "rpc-v2-cbor")
            .body(Full::from(vec![0xa0]))
    };
    Ok(response.expect("the headers are valid"))
}
