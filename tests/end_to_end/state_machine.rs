//! Runs the state machine of the Terraform module's audit, with an interpreter of the States
//! Language. Its tasks invoke the function.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use kit::runtime_api::Invoked;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::lambda::Lambda;

/// The definition of the state machine as Terraform plans it. The tests of the module keep it up to
/// date.
const DEFINITION: &str = include_str!("../infra/audit.asl.json");

/// The settings of an audit that vary between the tests.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    /// The names of the tables in the rule file.
    pub(crate) tables: Vec<String>,
    pub(crate) segments: u32,
    pub(crate) read_units: Option<u32>,
    pub(crate) apply: bool,
}

/// How an execution ended: with an output, or with the cause of its failure.
pub(crate) type Ended = Result<Json, String>;

impl Audit {
    /// Runs the state machine in the interpreter at this address. Returns how the execution ended,
    /// and how often it invoked the function.
    pub(crate) async fn run(&self, interpreter: &str, lambda: &Lambda) -> (Ended, usize) {
        let mut connection = TcpStream::connect(interpreter).await.unwrap();
        let (reader, mut writer) = connection.split();
        let mut lines = BufReader::new(reader).lines();
        write(&mut writer, &json!({ "definition": self.definition(), "input": {} })).await;
        let mut invocations = FuturesUnordered::new();
        let mut calls = 0;
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let line = line.unwrap().unwrap();
                    let line: Json = serde_json::from_str(&line).unwrap();
                    if line.get("call").is_some() {
                        calls += 1;
                        invocations.push(invoke(lambda, line));
                    } else {
                        let cause = || line["cause"].as_str().unwrap_or_default().to_owned();
                        return (line.get("output").cloned().ok_or_else(cause), calls);
                    }
                }
                Some(answer) = invocations.next() => write(&mut writer, &answer).await,
            }
        }
    }

    /// The module's state machine with other parts and settings.
    fn definition(&self) -> Json {
        let mut definition: Json = serde_json::from_str(DEFINITION).unwrap();
        let parts = self.tables.iter().flat_map(|table| {
            (0..self.segments).map(move |segment| {
                let segments = self.segments;
                json!({ "table": table, "segment": segment, "segments": segments, "next": null, "totals": null })
            })
        });
        let states = &mut definition["States"];
        let planned = &mut states["List parts"]["Result"];
        let names = |part: &Json| part.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let parts: Vec<Json> = parts.collect();
        assert_eq!(names(&planned[0]), names(&parts[0]));
        *planned = parts.into();
        let task = &mut states["Audit parts"]["ItemProcessor"]["States"]["Audit"];
        let request = &mut task["Parameters"]["referee"]["audit"];
        assert!(request.get("read_units").is_some() && request["apply"] == false);
        request["read_units"] = json!(self.read_units);
        request["apply"] = self.apply.into();
        definition
    }
}

/// Invokes the function as Step Functions does, and returns the line for the interpreter.
async fn invoke(lambda: &Lambda, line: Json) -> Json {
    let failed =
        |kind: &str, cause: String| json!({ "call": line["call"], "error": kind, "cause": cause });
    match lambda.invoke(line["input"].to_string()).await {
        Invoked::Answer(answer) => {
            let output: Json = serde_json::from_slice(&answer).unwrap();
            json!({ "call": line["call"], "output": output })
        }
        Invoked::FunctionError(error) | Invoked::InitFailed(error) => {
            failed(&error.kind, error.message)
        }
        Invoked::TimedOut => failed("Sandbox.Timedout", String::new()),
        Invoked::Crashed(status) => failed("Runtime.ExitError", status.to_string()),
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), line: &Json) {
    writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
}
