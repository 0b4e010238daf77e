use klero_core::register::*;
use std::time::Instant;
fn main() {
    let n = 262_144usize;
    let texts: Vec<String> = (0..n).map(|i| format!("R{:013}", (i as u64).wrapping_mul(0x9E3779B97F) % (1<<40))).collect();
    let mut offsets = vec![0i64]; let mut bytes = vec![];
    for t in &texts { bytes.extend_from_slice(t.as_bytes()); offsets.push(bytes.len() as i64); }
    let strata: Vec<u32> = (0..n).map(|i| (i*7919 % 78) as u32).collect();
    let weights: Vec<i64> = (0..n).map(|i| 1_000_000*(1 + (i*31 % 19) as i64)).collect();
    let h = hash::IdHasher::default();
    let k = hash::Keyed::new(&[3;32]);
    for _ in 0..3 {
        let t=Instant::now(); let mut x=0u8; for s in &texts { x ^= h.hash(s.as_bytes())[0]; } println!("hash {} ns {x}", t.elapsed().as_nanos() as f64/n as f64);
        let d = h.hash(b"a");
        let t=Instant::now(); let mut x=0u8; for _ in 0..n { x ^= k.of(&d)[0]; } println!("hmac {} ns {x}", t.elapsed().as_nanos() as f64/n as f64);
        let t=Instant::now(); let mut x=0u128; for i in 0..n { x ^= k.below(&d, 1_000_000_000_000_000 + i as u128); } println!("below {} ns {x}", t.elapsed().as_nanos() as f64/n as f64);
        let t=Instant::now();
        let s = record::scatter(&record::Batch{ids: record::Ids::Text(record::Texts{offsets:&offsets,bytes:&bytes}), strata:&strata, weights:&weights, address:&[], first:0});
        println!("scatter {} ns", t.elapsed().as_nanos() as f64/n as f64);
        // one part of same size
        let recs = record::Records::new(&s.records[..48*39000], false);
        // make part-like: only those with first byte.. use as is
        let ranks: Vec<u32> = (0..78).collect();
        let t=Instant::now(); let o = part::by_id(recs); println!("order {} ns {}", t.elapsed().as_nanos() as f64/39000.0, o.len());
        let t=Instant::now(); let o = part::sift(recs,&ranks,&[],20); println!("sift {} ns {}", t.elapsed().as_nanos() as f64/39000.0, o.digest[0]);
        let mut tot=vec![0u128;78]; for i in 0..39000 { let r=recs.get(i); tot[r.stratum() as usize]+=r.weight as u128*10; }
        let lots: Vec<draw::Lot> = tot.iter().map(|t| draw::Lot{letters:200,total:*t}).collect();
        let v = unit::View{records:recs,ranks:&ranks,excluded:&[],nominate:None};
        let t=Instant::now(); let o = draw::duels(&v,&[1;32],&lots,&[]); println!("duels {} ns {}", t.elapsed().as_nanos() as f64/39000.0, o.0.len());
    }
}
