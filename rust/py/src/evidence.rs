//! Bindings of what two texts have in common, and of a group's letter.

use klero_core::neardup::evidence::{evidence, EvidenceError, Kind, Match, Place, Row, Side, Span};
use klero_core::neardup::template::{Letter, Slot, Tally};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::door;

/// First byte, byte after the last, first code point, code point after the last, number of words.
type SpanRow = (usize, usize, usize, usize, usize);
/// Kind, then a place.
type SegmentRow = (&'static str, usize, usize, usize, usize);
/// Words, shingles, spans, segments.
type SideRow = (usize, usize, Vec<SpanRow>, Vec<SegmentRow>);
type MatchRow = (SpanRow, SpanRow, bool);
type AlignedRow = (bool, Option<SpanRow>, Option<SpanRow>);
/// Sides a and b, shared, collisions, matches, aligned rows.
type EvidenceRow = (
    SideRow,
    SideRow,
    usize,
    usize,
    Vec<MatchRow>,
    Vec<AlignedRow>,
);
/// The words, how often.
type FillerRow = (String, usize);
/// Place, words before, words after, members, distinct fillers, the most frequent.
type SlotRow = (SpanRow, SpanRow, SpanRow, usize, usize, Vec<FillerRow>);
/// Shingles, words of the frame, collisions, words of each member, own words, slots, slots left out.
type TallyRow = (usize, usize, usize, Vec<u32>, Vec<u32>, Vec<SlotRow>, usize);

fn value_error(error: EvidenceError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What a kernel found. If it was stopped, a signal is pending, and the door has raised it already.
fn unless_stopped<T>(found: Result<Option<T>, EvidenceError>) -> PyResult<T> {
    let found = found.map_err(value_error)?;
    found.ok_or_else(|| PyValueError::new_err("interrupted"))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Shared => "shared",
        Kind::Moved => "moved",
        Kind::Own => "own",
        Kind::Gap => "gap",
    }
}

fn span_row((place, words): Span) -> SpanRow {
    (
        place.byte_start,
        place.byte_end,
        place.start,
        place.end,
        words,
    )
}

fn segment_rows(segments: Vec<(Kind, Place)>) -> Vec<SegmentRow> {
    let row =
        |(kind, p): (Kind, Place)| (kind_name(kind), p.byte_start, p.byte_end, p.start, p.end);
    segments.into_iter().map(row).collect()
}

fn side_row(side: Side) -> SideRow {
    let spans = side.spans.into_iter().map(span_row).collect();
    (
        side.words,
        side.shingles,
        spans,
        segment_rows(side.segments),
    )
}

fn match_row(found: Match) -> MatchRow {
    (span_row(found.a), span_row(found.b), found.moved)
}

fn aligned_row(row: Row) -> AlignedRow {
    (row.equal, row.a.map(span_row), row.b.map(span_row))
}

fn slot_row(slot: Slot) -> SlotRow {
    let fillers = slot.fillers.into_iter();
    (
        span_row(slot.place),
        span_row((slot.before, 0)),
        span_row((slot.after, 0)),
        slot.members,
        slot.distinct,
        fillers.map(|f| (f.text, f.count)).collect(),
    )
}

/// What two texts have in common. See `_native.pyi`.
#[pyfunction]
fn text_evidence(
    py: Python<'_>,
    a: &str,
    b: &str,
    shingle: u8,
    fold_accents: bool,
) -> PyResult<EvidenceRow> {
    let found = door::detached(py, |alive| evidence(a, b, shingle, fold_accents, alive))?;
    let found = unless_stopped(found)?;
    Ok((
        side_row(found.a),
        side_row(found.b),
        found.shared,
        found.collisions,
        found.matches.into_iter().map(match_row).collect(),
        found.rows.into_iter().map(aligned_row).collect(),
    ))
}

/// The letter of a group. See `_native.pyi`.
#[pyclass(module = "klero._native", frozen)]
struct TextLetter {
    letter: Letter,
    tally: Tally,
}

#[pymethods]
impl TextLetter {
    #[new]
    fn new(
        py: Python<'_>,
        texts: Vec<PyBackedStr>,
        representative: usize,
        shingle: u8,
        fold_accents: bool,
    ) -> PyResult<Self> {
        let found = door::detached(py, |alive| {
            Letter::of(&texts, representative, shingle, fold_accents, alive)
        })?;
        let (letter, tally) = unless_stopped(found)?;
        Ok(Self { letter, tally })
    }

    fn tally(&self) -> TallyRow {
        let t = self.tally.clone();
        let slots = t.slots.into_iter().map(slot_row).collect();
        (
            t.shingles,
            t.frame,
            t.collisions,
            t.words,
            t.own,
            slots,
            t.slots_left_out,
        )
    }

    fn segments(&self, py: Python<'_>, text: &str) -> PyResult<Vec<SegmentRow>> {
        let segments = door::detached(py, |_| self.letter.segments(text))?;
        Ok(segment_rows(segments.map_err(value_error)?))
    }
}

/// Adds this family's functions and classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(text_evidence, module)?)?;
    module.add_class::<TextLetter>()
}
