//! Measures the cost of an invocation. Compares Referee with equivalent functions in Node and
//! Python in a single run, from outside the processes, over Lambda's Runtime API and TLS.
//!
//! All functions process the same events with the same store, and a first step checks that their
//! results are equal. The store answers at once from this process's memory, so that only the
//! functions' own work is measured. In AWS, each function also waits milliseconds for each request
//! to DynamoDB. Compare numbers only within one run, not with numbers from another machine.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark whose setup fails cannot measure anything"
)]

mod agreement;
#[path = "../batch/mod.rs"]
mod batch;
mod contender;
mod database;
mod endpoint;
mod expression;
mod measure;
mod scene;
mod share;
mod table;

use std::time::Duration;

use contender::Contender;
use endpoint::Endpoint;
use kit::runtime_api::Function;
use measure::{Run, Start};
use scene::Scene;
use table::{Goal, Table, Unit, median};

/// The maximum duration of an invocation.
const INVOCATION_LIMIT: Duration = Duration::from_mins(1);

/// The number of measured starts, and of measured batches: enough for a stable median.
const STARTS: usize = 21;
const RUNS: usize = 21;
/// The number of batches before the measurement, so that just-in-time compilers can finish.
const WARM_UPS: usize = 10;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be created");
    tokio::task::LocalSet::new().block_on(&runtime, compare());
}

async fn compare() {
    let endpoint = Endpoint::start().await;
    let (contenders, missing) = Contender::all(&endpoint);
    for why in missing {
        println!("SKIPPED: {why}");
    }
    agreement::check(&endpoint, &contenders).await;

    let mut table = Table::new(contenders.iter().map(|contender| contender.name.clone()));
    measure_starts(&endpoint, &contenders, &mut table).await;
    let of_mirrors = measure_batches(&endpoint, &contenders, &mut table).await;
    let packages = contenders.iter().map(|contender| vec![to_f64(contender.package_bytes())]);
    table.add("package, zipped", Unit::Megabytes, packages.collect(), &[Goal::AtMost(4e6)]);
    table.print();
    println!("{}", share::rates(of_mirrors / 1e3));
}

/// Measures starts, alternating between the contenders.
async fn measure_starts(endpoint: &Endpoint, contenders: &[Contender], table: &mut Table) {
    let scene = Scene::one_mirror();
    let mut starts: Vec<Vec<Start>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..STARTS {
        for (contender, starts) in contenders.iter().zip(&mut starts) {
            starts.push(measure::start(endpoint, contender, &scene).await);
        }
    }
    let values = |of: &dyn Fn(&Start) -> f64| {
        starts.iter().map(|starts| starts.iter().map(of).collect()).collect()
    };
    let goals = [Goal::PartOf("Node", 20.0), Goal::PartOf("Python", 35.0)];
    let whole = values(&|start| start.whole.as_secs_f64());
    table.add("exec to first response, one read", Unit::Milliseconds, whole, &goals);
    let first = values(&|start| start.first_invocation.as_secs_f64());
    table.add("first invocation after init", Unit::Milliseconds, first, &[]);
    let peak = values(&|start| to_f64(start.peak_bytes));
    table.add("peak memory, one read", Unit::Mebibytes, peak, &[]);
}

/// Measures batches, alternating between the contenders. Returns the processor's time that Referee
/// needs to write 1,000 mirrors and then to verify them, in seconds.
async fn measure_batches(endpoint: &Endpoint, contenders: &[Contender], table: &mut Table) -> f64 {
    let mut of_mirrors = 0.0;
    let mut functions: Vec<Function> = contenders.iter().map(Contender::function).collect();
    for function in &mut functions {
        endpoint.set_store(scene::table());
        function.initialize().await.expect("it started before");
    }
    let scenes = [
        (Scene::nothing_relevant(), false),
        (Scene::every_mirror(), true),
        (Scene::every_role(), true),
    ];
    for (scene, is_of_mirrors) in scenes {
        let mut runs: Vec<Vec<Run>> = contenders.iter().map(|_| Vec::new()).collect();
        for round in 0..WARM_UPS + RUNS {
            for ((contender, function), runs) in
                contenders.iter().zip(&mut functions).zip(&mut runs)
            {
                let run = measure::run(endpoint, contender, function, &scene).await;
                runs.extend((round >= WARM_UPS).then_some(run));
            }
        }
        let values = |of: &dyn Fn(&Run) -> f64| {
            runs.iter().map(|runs| runs.iter().map(of).collect()).collect()
        };
        let name =
            format!("1,000 records ({:.1} MB), {}", to_f64(scene.event.len()) / 1e6, scene.name);
        let whole = values(&|run| run.whole.as_secs_f64());
        table.add(&name, Unit::Milliseconds, whole, &[Goal::PartOf("Node", 4.0)]);
        let computing: Vec<Vec<f64>> = values(&|run| run.computing.as_secs_f64());
        if let Some(referee) = computing.first().filter(|_| is_of_mirrors) {
            of_mirrors += median(referee.clone());
        }
        table.add("  … of the processor's time", Unit::Milliseconds, computing, &[]);
    }
    let peak = functions.iter().map(|function| vec![to_f64(measure::peak_bytes(function))]);
    let goals = [Goal::AtMost(f64::from(32 << 20))];
    table.add("peak memory, all batches", Unit::Mebibytes, peak.collect(), &goals);
    for function in &mut functions {
        function.recycle().await;
    }
    of_mirrors
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn to_f64(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
