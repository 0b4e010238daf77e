//! What does not fit into memory, in files of our own.
//!
//! A file loses its name as soon as it is open: nobody else can open it, and its space is given back however the process ends. Texts are read at the place
//! where they are, not through a mapping, whose pages would count as our memory. A file that can't be written or read keeps its first error and hands out
//! nothing from then on; the caller asks for it.

use std::fs::{remove_file, File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::exceptions::PyOSError;
use pyo3::PyErr;

use klero_core::neardup::entries::PARTS;
use klero_core::neardup::stream::{is_number, Ids, Spill};
use klero_core::neardup::Texts;

/// A buffer that held a text of more bytes is given back when a smaller one comes.
const LARGE: usize = 4 << 20;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 1 << 20;

/// The same for one of 256 parts, unless the caller wants less.
pub const PIECE: usize = 1 << 15;

/// Bytes of buffers that a [`PartFile`] holds at most, about: vectors grow to twice what they need.
pub const PART_BUFFERS: u64 = (2 * PIECE * PARTS) as u64;

/// An error of the system as Python has it, with its number; without one, as a text.
pub fn os_error(error: Error) -> PyErr {
    let text = error.to_string();
    let text = text
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    match error.raw_os_error() {
        Some(number) => PyOSError::new_err((number, text)),
        None => PyOSError::new_err(text),
    }
}

/// Opens a new file in a folder, for reading and writing, that has no name any more.
fn nameless(folder: &Path) -> Result<File> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    loop {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let moment = since.map_or(0, |past| past.as_nanos());
        let number = MADE.fetch_add(1, Relaxed);
        let path = folder.join(format!(".klero-{}-{number}-{moment:x}", std::process::id()));
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match opened {
            Ok(file) => {
                remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first thing that went wrong.
#[derive(Default)]
struct Fault {
    any: AtomicBool,
    first: Mutex<Option<Error>>,
}

impl Fault {
    fn note(&self, result: Result<()>) {
        if let Err(error) = result {
            lock(&self.first).get_or_insert(error);
            self.any.store(true, Relaxed);
        }
    }

    fn take(&self) -> Result<()> {
        match lock(&self.first).take() {
            Some(error) => Err(error),
            None if self.any.load(Relaxed) => Err(Error::other("an earlier fault")),
            None => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Texts by row: of each batch the places where they end (64 bits each, the first is the batch's beginning), then the texts.
pub struct TextFile {
    file: File,
    end: u64,
    rows: u32,
    /// First row and place of each batch.
    batches: Vec<(u32, u64)>,
    numbers: bool,
    fault: Fault,
}

impl TextFile {
    /// An empty one in a folder.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new(folder: &Path) -> Result<Self> {
        Ok(Self {
            file: nameless(folder)?,
            end: 0,
            rows: 0,
            batches: Vec::new(),
            numbers: true,
            fault: Fault::default(),
        })
    }

    /// Keeps a batch, whose texts become the next rows; with `ids`, notes whether all are whole numbers.
    ///
    /// # Errors
    /// There is no room.
    pub fn add<T: Texts>(&mut self, texts: &T, ids: bool) -> Result<()> {
        let count = texts.len() as u32;
        let header = self.end;
        let mut place = header + (u64::from(count) + 1) * 8;
        let mut ends = Vec::with_capacity((count as usize + 1) * 8);
        ends.extend_from_slice(&place.to_le_bytes());
        let (mut gathered, mut scratch) = (Vec::with_capacity(GATHERED), Vec::new());
        let mut written = place;
        for row in 0..count {
            texts.with(row, &mut scratch, |text| {
                gathered.extend_from_slice(text);
                place += text.len() as u64;
                self.numbers &= !ids || is_number(text);
            });
            ends.extend_from_slice(&place.to_le_bytes());
            if gathered.len() >= GATHERED || row + 1 == count {
                self.file.write_all_at(&gathered, written)?;
                written += gathered.len() as u64;
                gathered.clear();
            }
        }
        self.file.write_all_at(&ends, header)?;
        self.batches.push((self.rows, header));
        self.rows += count;
        self.end = place;
        Ok(())
    }

    /// What went wrong in reading.
    ///
    /// # Errors
    /// The first error.
    pub fn checked(&self) -> Result<()> {
        self.fault.take()
    }

    fn read(&self, row: u32, into: &mut Vec<u8>) -> Result<()> {
        let after = self.batches.partition_point(|(first, _)| *first <= row);
        let batch = after.checked_sub(1).and_then(|at| self.batches.get(at));
        let (first, header) = batch.ok_or(ErrorKind::UnexpectedEof)?;
        let mut ends = [0_u8; 16];
        self.file
            .read_exact_at(&mut ends, header + u64::from(row - first) * 8)?;
        let both = u128::from_le_bytes(ends);
        let (start, end) = (both as u64, (both >> 64) as u64);
        let length = end.checked_sub(start).ok_or(ErrorKind::InvalidData)?;
        let length = usize::try_from(length).map_err(|_| ErrorKind::InvalidData)?;
        if into.capacity() > LARGE && length <= LARGE {
            *into = Vec::new();
        }
        into.resize(length, 0);
        self.file.read_exact_at(into, start)
    }
}

impl Texts for TextFile {
    fn len(&self) -> usize {
        self.rows as usize
    }

    fn with<R>(&self, row: u32, scratch: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R {
        let result = self.read(row, scratch);
        if result.is_err() {
            scratch.clear();
        }
        self.fault.note(result);
        look(scratch)
    }
}

impl Ids for TextFile {
    fn with<R>(&self, row: u32, scratch: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R {
        Texts::with(self, row, scratch, look)
    }

    fn numbers(&self) -> bool {
        self.numbers
    }
}

/// Bytes by part.
pub struct PartFile {
    file: File,
    end: AtomicU64,
    parts: Vec<Mutex<Part>>,
    piece: usize,
    fault: Fault,
}

#[derive(Default)]
struct Part {
    /// Place and length of what was written.
    pieces: Vec<(u64, usize)>,
    gathered: Vec<u8>,
}

impl PartFile {
    /// Empty parts in a folder, each of which gathers `piece` bytes before they are written.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new(folder: &Path, piece: usize) -> Result<Self> {
        Ok(Self {
            file: nameless(folder)?,
            end: AtomicU64::new(0),
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            piece,
            fault: Fault::default(),
        })
    }

    /// What went wrong in writing or reading.
    ///
    /// # Errors
    /// The first error.
    pub fn checked(&self) -> Result<()> {
        self.fault.take()
    }

    fn write(&self, part: &mut Part) -> Result<()> {
        let length = part.gathered.len();
        let place = self.end.fetch_add(length as u64, Relaxed);
        self.file.write_all_at(&part.gathered, place)?;
        part.pieces.push((place, length));
        part.gathered.clear();
        Ok(())
    }
}

impl Spill for PartFile {
    fn put(&self, part: usize, bytes: &[u8]) {
        let Some(part) = self.parts.get(part) else {
            return;
        };
        if self.failed() {
            return; // nothing counts any more, and what is gathered would only fill memory
        }
        let mut part = lock(part);
        part.gathered.extend_from_slice(bytes);
        if part.gathered.len() >= self.piece {
            self.fault.note(self.write(&mut part));
        }
    }

    fn each(&self, part: usize, give: &mut dyn FnMut(&[u8])) {
        let Some(part) = self.parts.get(part) else {
            return;
        };
        let Part { pieces, gathered } = std::mem::take(&mut *lock(part));
        let mut bytes = Vec::new();
        for (place, length) in pieces {
            bytes.resize(length, 0);
            let result = self.file.read_exact_at(&mut bytes, place);
            let whole = result.is_ok();
            self.fault.note(result);
            if whole {
                give(&bytes);
            }
        }
        give(&gathered);
    }

    fn size(&self, part: usize) -> u64 {
        let Some(part) = self.parts.get(part) else {
            return 0;
        };
        let part = lock(part);
        let written: usize = part.pieces.iter().map(|(_, length)| length).sum();
        (written + part.gathered.len()) as u64
    }

    fn failed(&self) -> bool {
        self.fault.any.load(Relaxed)
    }
}
