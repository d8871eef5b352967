//! The embedded store beside a real endpoint, on programs drawn at random.

use libtest_mimic::{Failed, Trial};
use referee::store::{Action, Clause, Page};
use serde_json::json;

use crate::at_endpoint;
use crate::endpoint::OnEndpoint;
use crate::harness::{APP, Harness, city, partition};
use crate::items::set;
use crate::laws::{Program, hold_in, programs, run_on};
use crate::memory::InMemory;

/// How many programs are run on both.
const CASES: u32 = 16;

/// The law, as ignored where there is no endpoint.
pub(crate) fn trial() -> Trial {
    at_endpoint::trial("laws::memory_agrees_with_the_endpoint", agree)
}

fn agree(endpoint: &str) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    hold_in(CASES, &programs(), |program| {
        let program = without_mere_takes(program);
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

/// DynamoDB Local makes an item of an update that only takes away, so each sets something too.
fn without_mere_takes(mut program: Program) -> Program {
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

/// What was made, what is there then, and how many records tell of it.
async fn outcome<H: Harness>(h: &H, program: &Program) -> (Vec<bool>, Vec<Page>, usize) {
    let app = h.table(APP);
    let mut program = program.clone();
    for write in program.iter_mut().flatten() {
        write.table.clone_from(&app);
    }
    let made = run_on(h.store(), &program).await;
    h.settle().await;
    let mut pages = Vec::new();
    for name in ["0", "1"] {
        pages.push(h.query(partition(&app, name)).await);
        let mut in_city = h.query(city(&app, name)).await;
        // Items of one index key come in no order that is promised.
        in_city.items.sort_by_key(|item| format!("{item:?}"));
        pages.push(in_city);
    }
    (made, pages, h.stream(&app).await.len())
}
