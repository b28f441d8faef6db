//! Memory that held a secret is wiped before it is given back: seen by an allocator that looks at what is freed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey::Secret;

/// No other allocation of this test has such a size, and one that has is full to its last byte.
const LENGTH: usize = 54_321;
const BYTE: u8 = 0xa5;

static WIPED: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

struct Watching;

// SAFETY: every call is handed to the system's allocator as it is; `dealloc` only reads before that.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if layout.size() == LENGTH {
            // SAFETY: the block was allocated with this layout, is not freed yet, and those of this size are written
            // in full before they are dropped.
            let bytes = unsafe { std::slice::from_raw_parts(memory, LENGTH) };
            FREED.fetch_add(1, Ordering::SeqCst);
            WIPED.fetch_add(usize::from(bytes.iter().all(|byte| *byte == 0)), Ordering::SeqCst);
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`, which is the same here.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// How many blocks of that size were freed while `act` ran, and how many of them were all zero.
fn freed(act: impl FnOnce()) -> (usize, usize) {
    let before = (FREED.load(Ordering::SeqCst), WIPED.load(Ordering::SeqCst));
    act();
    (FREED.load(Ordering::SeqCst) - before.0, WIPED.load(Ordering::SeqCst) - before.1)
}

// One test, for the counters are shared.
#[test]
fn the_buffer_of_a_secret_is_zero_when_it_is_freed() {
    let _rows = proofkey_conformance::shows(&["secrets-mem-1"]);
    assert_eq!(freed(|| drop(vec![BYTE; LENGTH])), (1, 0), "the allocator sees what is not wiped");
    assert_eq!(freed(|| drop(Secret::new(vec![BYTE; LENGTH].into()))), (1, 1));
    let text = "s".repeat(LENGTH);
    // The text's own buffer, and the secret's.
    assert_eq!(freed(|| drop(Secret::from_text(text))), (2, 2));
    let moved = Box::new(Some(Secret::new(vec![BYTE; LENGTH].into())));
    assert_eq!(freed(|| drop(moved)), (1, 1));
    let panicked = Secret::new(vec![BYTE; LENGTH].into());
    let unwound = freed(|| {
        let thread = std::thread::spawn(move || {
            let _held = panicked;
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(thread.join().is_err());
    });
    assert_eq!(unwound, (1, 1), "wiped on the way out of a panic, too");
}
