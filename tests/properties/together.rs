//! Two runs at the same moment: one of them gets what it needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use housewright::clickhouse::{ClickHouse, Endpoint};
use housewright::fleet::HostName;
use housewright::observe::{Observed, Open};
use housewright::remote::{Batch, Output};
use housewright::transport::{Claim, HostLock, Session, SessionError};
use proptest::prelude::*;

use super::fleets::{Change, Order, Shape, project, shape};
use super::world::{How, Project, Record, block_on};
use super::{config, made};

/// A session over which the way to the lock takes a while.
struct Slow(Arc<dyn Session>, Duration);

#[async_trait]
impl Session for Slow {
    async fn run(&self, batch: &Batch) -> Result<Vec<Output>, SessionError> {
        self.0.run(batch).await
    }

    async fn ask(&self, port: u16, question: &[u8]) -> Result<Vec<u8>, SessionError> {
        self.0.ask(port, question).await
    }

    async fn lock(&self) -> Result<Box<dyn HostLock>, SessionError> {
        self.claim(Claim::Free).await
    }

    async fn claim(&self, claim: Claim) -> Result<Box<dyn HostLock>, SessionError> {
        tokio::time::sleep(self.1).await;
        self.0.claim(claim).await
    }

    fn clickhouse(&self, endpoint: &Endpoint) -> Arc<dyn ClickHouse> {
        self.0.clickhouse(endpoint)
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

fn slow(open: &BTreeMap<HostName, Open>, delays: &[u64]) -> BTreeMap<HostName, Open> {
    let slow = |((host, open), delay): ((&HostName, &Open), &u64)| {
        let session = Arc::new(Slow(Arc::clone(&open.session), Duration::from_millis(*delay)));
        (host.clone(), Open { session, ..open.clone() })
    };
    open.iter().zip(delays.iter().cycle()).map(slow).collect()
}

/// How many hosts of a run failed whose way to the locks takes so long.
async fn failures(project: &Project, observed: &Observed, delays: &[u64]) -> usize {
    let slow = Observed { observation: observed.observation.clone(), open: slow(&observed.open, delays) };
    let how = How { at_once: 32, stop: &AtomicBool::new(false), sink: &Record::default() };
    project.run(project.plan(&slow), &slow, how).await.failed.len()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn of_two_runs_at_once_one_gets_its_hosts(
        shape in shape(),
        first in proptest::collection::vec(1_u64..50, 12),
        second in proptest::collection::vec(1_u64..50, 12),
    ) {
        one_of_two(&shape, &first, &second)?;
    }
}

fn one_of_two(shape: &Shape, first: &[u64], second: &[u64]) -> Result<(), TestCaseError> {
    let sim = made(shape, &Vec::new());
    let project = project(shape, &[Change::Setting], &Order::plain());
    let (first, second) = block_on(async {
        let record = Record::default();
        let (ours, theirs) = (project.observe(&sim, &record).await, project.observe(&sim, &record).await);
        tokio::join!(failures(&project, &ours, first), failures(&project, &theirs, second))
    });
    prop_assert!(first == 0 || second == 0, "both were refused");
    Ok(())
}
