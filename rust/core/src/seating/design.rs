//! Plans in which nobody meets anybody twice, where a finite field gives one.
//!
//! With q tables, q a power of a prime, number people in columns of q: person j of column i sits in session s at table j + s·i,
//! calculated in the field of q elements. Two people of different columns meet in exactly one s, two of one column in none. So
//! up to q sessions with tables of up to q seats have no repeat; with q² people, the columns are one session more, in which all
//! have met (the affine plane of order q; Bose 1938). A last column that is not full gives sizes that differ by one.

/// Powers of primes: order, prime, and what x^k is in the field, as digits by rising power of x.
const POWERS: [(usize, usize, &[usize]); 8] = [
    (4, 2, &[1, 1]),
    (8, 2, &[1, 1, 0]),
    (9, 3, &[2, 0]),
    (16, 2, &[1, 1, 0, 0]),
    (25, 5, &[3, 0]),
    (27, 3, &[2, 1, 0]),
    (32, 2, &[1, 0, 1, 0, 0]),
    (49, 7, &[6, 0]),
];

struct Field {
    prime: usize,
    modulus: Vec<usize>,
}

impl Field {
    fn of_order(order: usize) -> Option<Self> {
        if order >= 2
            && (2..order)
                .take_while(|d| d * d <= order)
                .all(|d| !order.is_multiple_of(d))
        {
            return Some(Self {
                prime: order,
                modulus: vec![0],
            });
        }
        let (_, prime, modulus) = POWERS.iter().find(|(q, _, _)| *q == order)?;
        Some(Self {
            prime: *prime,
            modulus: modulus.to_vec(),
        })
    }

    fn digits(&self, mut x: usize) -> Vec<usize> {
        let digits = self.modulus.iter().map(|_| {
            let digit = x % self.prime;
            x /= self.prime;
            digit
        });
        digits.collect()
    }

    fn number(&self, digits: &[usize]) -> usize {
        digits.iter().rev().fold(0, |x, d| x * self.prime + d)
    }

    fn add(&self, a: usize, b: usize) -> usize {
        let sums = self.digits(a).into_iter().zip(self.digits(b));
        let sums: Vec<usize> = sums.map(|(x, y)| (x + y) % self.prime).collect();
        self.number(&sums)
    }

    /// a·b, multiplying by x once for each digit of b from the highest.
    fn multiply(&self, a: usize, b: usize) -> usize {
        let a = self.digits(a);
        let mut product = vec![0; a.len()];
        for digit in self.digits(b).into_iter().rev() {
            let top = product.pop().unwrap_or(0);
            product.insert(0, 0);
            for ((p, m), x) in product.iter_mut().zip(&self.modulus).zip(&a) {
                *p = (*p + top * m + digit * x) % self.prime;
            }
        }
        self.number(&product)
    }
}

/// The table of each person by session without a repeated meeting, larger tables first; None if no field gives it.
pub fn without_repeats(people: usize, tables: usize, sessions: usize) -> Option<Vec<Vec<usize>>> {
    let field = Field::of_order(tables)?;
    let full = people == tables * tables;
    if people.div_ceil(tables) > tables || sessions > tables + usize::from(full) {
        return None;
    }
    let plan = (0..sessions).map(|s| {
        let seat = |p: usize| {
            let (column, row) = (p / tables, p % tables);
            if s == tables {
                column
            } else {
                field.add(row, field.multiply(s, column))
            }
        };
        larger_first((0..people).map(seat).collect(), tables)
    });
    Some(plan.collect())
}

/// The same tables, renumbered so that those with more people come first.
fn larger_first(seats: Vec<usize>, tables: usize) -> Vec<usize> {
    let mut sizes = vec![0; tables];
    for &t in &seats {
        sizes[t] += 1;
    }
    let mut order: Vec<usize> = (0..tables).collect();
    order.sort_by_key(|&t| (usize::MAX - sizes[t], t));
    let mut number = vec![0; tables];
    for (new, &old) in order.iter().enumerate() {
        number[old] = new;
    }
    seats.into_iter().map(|t| number[t]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn pairs(plan: &[Vec<usize>]) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for seats in plan {
            for a in 0..seats.len() {
                pairs.extend(
                    (a + 1..seats.len())
                        .filter(|&b| seats[a] == seats[b])
                        .map(|b| (a, b)),
                );
            }
        }
        pairs
    }

    #[test]
    fn nobody_meets_anybody_twice_for_every_field_listed() {
        for q in [2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 25, 27, 32, 49] {
            for people in [q, q + 1, q * 2, q * (q - 1) + 1, q * q - 1, q * q] {
                let sessions = q.min(9) + usize::from(people == q * q && q <= 9);
                let plan = without_repeats(people, q, sessions).unwrap_or_default();
                assert_eq!(plan.len(), sessions);
                let met = pairs(&plan);
                let different: BTreeSet<_> = met.iter().collect();
                assert_eq!(met.len(), different.len(), "{people} people, {q} tables");
                if people == q * q && q <= 9 {
                    assert_eq!(
                        met.len(),
                        people * (people - 1) / 2,
                        "everybody meets everybody"
                    );
                }
            }
        }
    }

    #[test]
    fn sizes_differ_by_one_at_most_and_larger_tables_come_first() {
        for seats in without_repeats(17, 5, 5).unwrap_or_default() {
            let sizes: Vec<usize> = (0..5)
                .map(|t| seats.iter().filter(|x| **x == t).count())
                .collect();
            assert_eq!(sizes, [4, 4, 3, 3, 3]);
        }
    }

    #[test]
    fn no_design_is_claimed_where_there_is_none() {
        assert!(
            without_repeats(12, 6, 2).is_none(),
            "6 is no power of a prime"
        );
        assert!(without_repeats(13, 3, 2).is_none(), "tables are too large");
        assert!(without_repeats(8, 3, 4).is_none(), "too many sessions");
    }
}
