//! Compares the in-memory store with a real endpoint, on random programs.

use libtest_mimic::{Failed, Trial};
use referee::store::{Action, Clause, Page};
use serde_json::json;

use crate::endpoint::OnEndpoint;
use crate::harness::{APP, Harness, city, partition};
use crate::items::set;
use crate::laws::{Program, check_law_in, programs, run_on};
use crate::memory::InMemory;
use kit::endpoint;

/// The number of programs that run on both stores.
const CASES: u32 = 16;

/// Returns the comparison as a trial, which is ignored without an endpoint.
pub(crate) fn trial() -> Trial {
    endpoint::trial("laws::memory_agrees_with_the_endpoint", agree)
}

fn agree(endpoint: &str) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    check_law_in(CASES, &programs(), |program| {
        let program = without_remove_only_updates(program);
        runtime.block_on(async {
            let endpoint = OnEndpoint::new(endpoint).await;
            assert_eq!(
                outcome(&InMemory::new(), &program).await,
                outcome(&endpoint, &program).await
            );
        });
    });
    Ok(())
}

/// Adds a `SET` to updates that only remove, because DynamoDB Local creates an item for such
/// updates.
fn without_remove_only_updates(mut program: Program) -> Program {
    for write in program.iter_mut().flatten() {
        if let Action::Update { clauses, .. } = &mut write.action
            && !clauses.is_empty()
            && !clauses.iter().any(|clause| matches!(clause, Clause::Set(..)))
        {
            clauses.push(set("set", &json!(1)));
        }
    }
    program
}

/// Runs the program. Returns which steps succeeded, the content afterwards, and the number of
/// stream records.
async fn outcome<H: Harness>(h: &H, program: &Program) -> (Vec<bool>, Vec<Page>, usize) {
    let app = h.table(APP);
    let mut program = program.clone();
    for write in program.iter_mut().flatten() {
        write.table.clone_from(&app);
    }
    let made = run_on(h.store(), &program).await;
    h.wait_for_indexes().await;
    let mut pages = Vec::new();
    for name in ["0", "1"] {
        pages.push(h.query(partition(&app, name)).await);
        let mut in_city = h.query(city(&app, name)).await;
        // The order of items with the same index key is not specified.
        in_city.items.sort_by_key(|item| format!("{item:?}"));
        pages.push(in_city);
    }
    (made, pages, h.stream(&app).await.len())
}
