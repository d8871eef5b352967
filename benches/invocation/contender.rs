//! The contenders: Referee, and equivalent functions in Node and Python.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::endpoint::Endpoint;
use kit::runtime_api::{Function, Program};

/// A function to compare.
pub(crate) struct Contender {
    /// The function's name in the table of results.
    pub(crate) name: String,
    program: Program,
    package: Vec<PathBuf>,
}

impl Contender {
    /// Returns all available contenders, with Referee first, and the reasons why others are
    /// missing.
    pub(crate) fn all(endpoint: &Endpoint) -> (Vec<Self>, Vec<String>) {
        let mut missing = Vec::new();
        let all = [referee(endpoint), node(endpoint), python(endpoint)];
        let here = all.into_iter().filter_map(|one| one.map_err(|why| missing.push(why)).ok());
        (here.collect(), missing)
    }

    /// Creates the function, without starting it.
    pub(crate) fn function(&self) -> Function {
        Function::new(self.program.clone())
    }

    /// Returns the size of the function's deployment package as a zip file.
    pub(crate) fn package_bytes(&self) -> usize {
        self.package.iter().map(|path| zipped_bytes(path)).sum()
    }
}

fn referee(endpoint: &Endpoint) -> Result<Contender, String> {
    // The environment may name another build to measure instead.
    let binary = std::env::var_os("REFEREE_LAMBDA")
        .map_or_else(|| root().join("target/release/referee-lambda"), PathBuf::from);
    if !binary.exists() {
        return Err(format!(
            "Referee: there is no `{}` (`make bench` builds it)",
            binary.display()
        ));
    }
    let rules = root().join("events/company-user/referee.yaml");
    let program = program(endpoint, [text(&binary)])
        .env("REFEREE_RULES", text(&rules))
        // The peers also write their metrics to their logs.
        .env("REFEREE_METRICS", "emf")
        .env("SSL_CERT_FILE", text(&endpoint.certificates));
    Ok(Contender { name: "Referee".to_owned(), program, package: vec![binary, rules] })
}

/// The bundle includes the SDK, as AWS recommends, although the managed runtime has one.
/// <https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html>
fn node(endpoint: &Endpoint) -> Result<Contender, String> {
    let version = version("node")?;
    let folder = root().join("benches/peers/node");
    let bundle = folder.join("dist/handler.cjs");
    if !bundle.exists() {
        return Err("Node: its bundle is not built (`make bench` builds it)".to_owned());
    }
    let program = program(endpoint, ["node", &text(&folder.join("bootstrap.mjs")), &text(&bundle)])
        .env("NODE_EXTRA_CA_CERTS", text(&endpoint.certificate));
    Ok(Contender { name: format!("Node {version}"), program, package: vec![bundle] })
}

/// The managed runtime contains boto3, so the package contains only the other dependencies.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html>
fn python(endpoint: &Endpoint) -> Result<Contender, String> {
    let folder = root().join("benches/peers/python");
    let python = text(&folder.join(".venv/bin/python"));
    let version = version(&python)?;
    let program = program(endpoint, [&python, &text(&folder.join("bootstrap.py"))])
        .env("AWS_CA_BUNDLE", text(&endpoint.certificates));
    let libraries = Command::new(&python)
        .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'), end='')"])
        .output()
        .map_err(|error| format!("Python: {error}"))?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&libraries.stdout).into_owned());
    let package = vec![
        folder.join("handler.py"),
        libraries.join("aws_lambda_powertools"),
        libraries.join("typing_extensions.py"),
    ];
    Ok(Contender { name: format!("Python {version}"), program, package })
}

/// Creates a program with the environment variables that Lambda would set.
fn program<T: Into<String>>(endpoint: &Endpoint, command: impl IntoIterator<Item = T>) -> Program {
    Program::new(command)
        .env("AWS_ENDPOINT_URL", &endpoint.url)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_SESSION_TOKEN", "token")
}

/// Returns the version of an interpreter, such as `20.20.2`.
fn version(program: &str) -> Result<String, String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{program}` does not run: {error}"))?;
    let output = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.trim_start_matches("Python ").trim_start_matches('v').to_owned())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}

/// Returns the size that a file, or all files in a folder, would have in a zip file: the compressed
/// content, and two headers for each file.
fn zipped_bytes(path: &Path) -> usize {
    const HEADERS_BYTES: usize = 30 + 46;
    if path.is_dir() {
        let entries = path.read_dir().expect("the folder can be read");
        let paths = entries.map(|entry| entry.expect("the folder can be read").path());
        let packed = paths.filter(|path| !path.ends_with("__pycache__"));
        return packed.map(|path| zipped_bytes(&path)).sum();
    }
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    let content = std::fs::read(path).expect("the file can be read");
    deflated.write_all(&content).expect("there is room in memory");
    deflated.finish().expect("there is room in memory").len() + HEADERS_BYTES
}
