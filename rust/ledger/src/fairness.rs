//! Is this lottery within its quotas, and as fair as its certificate says?
//!
//! The checks `quotas`, `certificate` and `gap` of `docs/audit/bundle.md`, for whatever brings rules, pool and panels: a bundle or a record.
//! Linear in the size of the lottery, and levels (and leaves) × types × features for the certificate.

use std::cmp::Ordering;

use crate::bundle::{self, Certificate, Declaration, Panel, Pool};
use crate::canonical::Value;
use crate::certificate::{check_levels, check_work, gap};
use crate::claim::{self, check_claim, Proved};
use crate::number::Ratio;
use crate::{refuse, Fault};

/// Refuses a panel that has not k seats, breaks a quota or seats more of a type than there are.
pub fn quotas(declaration: &Declaration, pool: &Pool, panels: &[Panel]) -> Result<(), Fault> {
    let mut filled = vec![0_i64; declaration.bounds.len()];
    for (i, (_, panel)) in panels.iter().enumerate() {
        filled.fill(0);
        let mut seated = 0;
        for (t, seats) in panel {
            if *seats > pool.counts[*t] {
                refuse!(
                    "panel {i}: {seats} seats for the {} people of type {t}",
                    pool.counts[*t]
                );
            }
            // No sum passes the number of people, now that no type does.
            seated += seats;
            pool.cells[*t]
                .iter()
                .for_each(|cell| filled[*cell] += seats);
        }
        if seated != declaration.size {
            refuse!("panel {i}: {seated} seats instead of {}", declaration.size);
        }
        for (cell, (filled, (min, max))) in filled.iter().zip(&declaration.bounds).enumerate() {
            if filled < min || filled > max {
                refuse!("panel {i}: {filled} seats in cell {cell}, {min} to {max} allowed");
            }
        }
    }
    Ok(())
}

/// A certificate whose arithmetic holds.
#[derive(Debug)]
pub struct Certified {
    certificate: Certificate,
    proved: Option<Proved>,
    trees: usize,
}

impl Certified {
    /// Reads a certificate and checks every level and the claim.
    pub fn read(value: &Value, declaration: &Declaration, pool: &Pool) -> Result<Self, Fault> {
        let certificate = bundle::certificate(value, declaration, pool)?;
        check_work(pool, &certificate)?;
        let shut = check_levels(declaration, pool, &certificate)?;
        let claim = certificate.claim.as_ref();
        let proved = claim.map(|claim| check_claim(declaration, pool, claim, &shut));
        let proofs = certificate.levels.iter().map(|level| &level.proof);
        let trees = proofs.filter(|proof| !proof.is_empty()).count();
        Ok(Self {
            trees: trees + usize::from(claim.is_some_and(claim::integral)),
            proved: proved.transpose()?,
            certificate,
        })
    }

    /// What was read, in a few words.
    pub fn said(&self) -> String {
        format!(
            "levels: {}, proof trees: {}",
            self.certificate.levels.len(),
            self.trees
        )
    }

    /// The level that it states, «L0» or «L1».
    pub fn level(&self) -> &'static str {
        if self.certificate.with_proof {
            "L1"
        } else {
            "L0"
        }
    }

    /// The gap that it states.
    pub fn gap(&self) -> &Ratio {
        &self.certificate.gap
    }

    /// Refuses a stated level or gap that is not the one of these panels, which must meet the quotas.
    pub fn check_gap(
        &self,
        declaration: &Declaration,
        pool: &Pool,
        panels: &[Panel],
    ) -> Result<String, Fault> {
        if self.certificate.with_proof != (self.trees > 0) {
            refuse!("the stated level is not that of the proofs");
        }
        let found = match (&self.certificate.claim, &self.proved) {
            (Some(claim), Some(proved)) => claim::gap(declaration, pool, panels, claim, proved)?,
            _ => gap(declaration, pool, panels, &self.certificate),
        };
        if found.compare(&self.certificate.gap) != Ordering::Equal {
            refuse!("the stated gap is not the largest one");
        }
        let gap = self.certificate.gap.rounded_up();
        Ok(format!("{}, at most {gap}", self.level()))
    }
}
