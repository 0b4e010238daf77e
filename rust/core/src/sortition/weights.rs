//! Weights that make the panels' mean the target.
//!
//! The question: with what chance must each panel be drawn, so that every type gets its expected seats? With A the panels as
//! columns and x the target, we seek w > 0 with A·w = x, the analytic centre of that set: minimise −Σ c_i·log w_i, c_i the panel's
//! visits (Boyd and Vandenberghe, «Convex Optimization», 2004, section 10.3: infeasible-start Newton). Each step solves A·D·Aᵀ·λ = x − 2·A·w
//! with D = diag(w²/c) by conjugate gradients, which never form the matrix: O(non-zeros) an iteration.
//!
//! Only +, −, × and ÷ are used, so the result is the same on every platform. One thread.

use super::store::Panels;

/// Weights, and how far their mean is from the target.
#[derive(Debug, Clone)]
pub struct Balance {
    /// A weight for each panel, each positive, with sum 1 up to the residual.
    pub weights: Vec<f64>,
    /// The largest |A·w − x| over the types, in seats.
    pub residual: f64,
    /// Target minus mean by type, in seats: a direction in which panels are missing when the residual is not small.
    pub missing: Vec<f64>,
    /// The last multipliers λ: where Newton stalls, a direction that separates the target from the panels.
    pub prices: Vec<f64>,
}

/// Newton steps in which the residual must fall by a tenth: where the target is out of reach, it stops falling.
const PATIENCE: usize = 6;

/// Balances all panels of the store against the target (expected seats by type), until the residual is below `tolerance`
/// seats, no longer falls, or `steps` Newton steps are done. `alive` is asked often; when it says no, the result is what there is.
#[must_use]
pub fn balance(
    panels: &Panels,
    target: &[f64],
    tolerance: f64,
    steps: usize,
    alive: &dyn Fn() -> bool,
) -> Balance {
    let visits: Vec<f64> = panels.visits.iter().map(|&v| f64::from(v)).collect();
    let total: f64 = visits.iter().sum();
    let mut w: Vec<f64> = visits.iter().map(|c| c / total).collect();
    let mut prices = vec![0.0; target.len()];
    let mut missing = residual_of(panels, &w, target);
    let (mut best, mut since) = (largest(&missing), 0);
    for _ in 0..steps {
        if best < tolerance || since >= PATIENCE || !alive() {
            break;
        }
        let d: Vec<f64> = w.iter().zip(&visits).map(|(w, c)| w * w / c).collect();
        let side: Vec<f64> = missing
            .iter()
            .zip(target)
            .map(|(r, x)| 2.0 * r - x)
            .collect();
        prices = solve(panels, &d, &side, &prices, alive);
        // Δ = D·(Aᵀ·λ) + w keeps A·(w + Δ) = x; the longest step that leaves each weight a part of itself.
        let delta: Vec<f64> = (0..w.len())
            .map(|i| d[i] * panels.score(i, &prices) + w[i])
            .collect();
        if !delta.iter().all(|v| v.is_finite()) {
            break; // the target is outside the panels' reach, and Newton has run away
        }
        let mut length = 1.0f64;
        for (w, delta) in w.iter().zip(&delta) {
            if *delta < 0.0 {
                length = length.min(-0.9 * w / delta);
            }
        }
        for (w, delta) in w.iter_mut().zip(&delta) {
            *w += length * delta;
        }
        missing = residual_of(panels, &w, target);
        let residual = largest(&missing);
        since = if residual < 0.9 * best { 0 } else { since + 1 };
        best = best.min(residual);
    }
    Balance {
        residual: largest(&missing),
        weights: w,
        missing,
        prices,
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn residual_of(panels: &Panels, w: &[f64], target: &[f64]) -> Vec<f64> {
    let mut mean = vec![0.0; target.len()];
    for (i, &weight) in w.iter().enumerate() {
        panels.accumulate(i, weight, &mut mean);
    }
    target.iter().zip(&mean).map(|(x, m)| x - m).collect()
}

/// Conjugate gradients on A·D·Aᵀ·λ = side with a diagonal preconditioner, from `start`. The system is singular where quotas tie types
/// together, but consistent, which is all that conjugate gradients need.
fn solve(
    panels: &Panels,
    d: &[f64],
    side: &[f64],
    start: &[f64],
    alive: &dyn Fn() -> bool,
) -> Vec<f64> {
    let mut diagonal = vec![0.0; side.len()];
    for (i, &weight) in d.iter().enumerate() {
        for &(t, s) in panels.panel(i) {
            diagonal[t as usize] += weight * f64::from(s) * f64::from(s);
        }
    }
    let scale: Vec<f64> = diagonal
        .iter()
        .map(|&v| if v > 0.0 { 1.0 / v } else { 0.0 })
        .collect();
    let multiply = |v: &[f64]| {
        let mut out = vec![0.0; v.len()];
        for (i, &weight) in d.iter().enumerate() {
            panels.accumulate(i, weight * panels.score(i, v), &mut out);
        }
        out
    };
    let mut x = start.to_vec();
    let image = multiply(&x);
    let mut r: Vec<f64> = side.iter().zip(&image).map(|(b, a)| b - a).collect();
    let mut z: Vec<f64> = r.iter().zip(&scale).map(|(r, s)| r * s).collect();
    let mut p = z.clone();
    let mut rz = dot(&r, &z);
    let goal = 1e-13 * largest(side);
    for _ in 0..(2 * side.len() + 50).min(1500) {
        if largest(&r) <= goal || rz <= 0.0 || !alive() {
            break;
        }
        let q = multiply(&p);
        let curvature = dot(&p, &q);
        if curvature <= 0.0 {
            break;
        }
        let alpha = rz / curvature;
        for i in 0..x.len() {
            x[i] += alpha * p[i];
            r[i] -= alpha * q[i];
            z[i] = r[i] * scale[i];
        }
        let next = dot(&r, &z);
        let beta = next / rz;
        rz = next;
        for (p, z) in p.iter_mut().zip(&z) {
            *p = z + beta * *p;
        }
    }
    x
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panels() -> Panels {
        let mut panels = Panels::new(3);
        for seats in [[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0]] {
            panels.add(&seats);
        }
        panels
    }

    #[test]
    fn the_mean_is_the_target_where_panels_surround_it() {
        let target = [0.9, 0.7, 0.4];
        let balance = balance(&panels(), &target, 1e-12, 60, &|| true);
        assert!(balance.residual < 1e-12);
        assert!(balance.weights.iter().all(|&w| w > 0.0));
        assert!((balance.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_target_out_of_reach_leaves_a_residual_and_finite_numbers() {
        let target = [0.0, -0.5, 2.5];
        let balance = balance(&panels(), &target, 1e-12, 60, &|| true);
        assert!(balance.residual > 0.1);
        assert!(balance
            .missing
            .iter()
            .chain(&balance.weights)
            .all(|v| v.is_finite()));
    }
}
