//! The same small work on many things: on all cores where there are enough of them to pay for waking the cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::Result;

/// Things from which working on them in parallel pays, at a system call or two each.
const MANY: usize = 512;

/// Things for which a thread is worth its start.
const FEW_FOR_A_THREAD: usize = 384;

/// Things that a thread takes at a time.
const PIECE: usize = 128;

/// Does `work` on each of `things`; one of its errors if it fails.
pub(crate) fn try_each<T: Sync>(things: &[T], work: impl Fn(&T) -> Result<()> + Sync + Send) -> Result<()> {
    match things.len() < MANY {
        true => things.iter().try_for_each(work),
        false => things.par_iter().try_for_each(work),
    }
}

/// What `look` finds in the first of `things` in which it finds something.
pub(crate) fn find_first<T: Sync, F: Send>(things: &[T], look: impl Fn(&T) -> Option<F> + Sync + Send) -> Option<F> {
    match things.len() < MANY {
        true => things.iter().find_map(look),
        false => things.par_iter().find_map_first(look),
    }
}

/// What `work` makes of each of `things`, which are `count` small ones together and may be of very different sizes.
pub(crate) fn map_uneven<T: Sync, M: Send>(count: usize, things: &[T], work: impl Fn(&T) -> M + Sync + Send) -> Vec<M> {
    match count < MANY {
        true => things.iter().map(work).collect(),
        false => things.par_iter().map(work).collect(),
    }
}

/// What `work` makes of each of `things`, on threads of its own: starting the pool for this alone would cost more.
pub(crate) fn map<T: Sync, M: Send>(things: &[T], work: impl Fn(&T) -> M + Sync + Send) -> Vec<M> {
    let threads = if things.len() < 2 * FEW_FOR_A_THREAD { 1 } else { cores().min(things.len() / FEW_FOR_A_THREAD) };
    let all = |piece: &[T]| -> Vec<M> { piece.iter().map(&work).collect() };
    if threads == 1 {
        return all(things);
    }
    let next = AtomicUsize::new(0);
    // Each thread takes what is next, since cores may be busy otherwise: halves would wait for the slower one.
    let take = || {
        let pieces = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let pieces = pieces.map_while(|number| Some((number, things.chunks(PIECE).nth(number)?)));
        pieces.map(|(number, piece)| (number, all(piece))).collect::<Vec<_>>()
    };
    let mut made: Vec<Option<Vec<M>>> = things.chunks(PIECE).map(|_| None).collect();
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| std::thread::Builder::new().spawn_scoped(scope, take)).collect();
        let mine = take();
        let others = others.into_iter().filter_map(|thread| thread.ok()?.join().ok()).flatten();
        mine.into_iter().chain(others).for_each(|(number, piece)| made[number] = Some(piece));
    });
    // What a thread has not brought to its end, since it failed, is done here.
    let made = made.into_iter().zip(things.chunks(PIECE));
    made.flat_map(|(made, piece)| made.unwrap_or_else(|| all(piece))).collect()
}

/// On how many cores this process may run. Quotas of time do not matter for short work, and take long to find out.
fn cores() -> usize {
    let allowed = rustix::thread::sched_getaffinity(None);
    allowed.map_or(1, |allowed| usize::try_from(allowed.count()).unwrap_or(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_give_the_same_answer() {
        for count in [10, 10 * MANY] {
            let things: Vec<usize> = (0..count).collect();
            assert_eq!(find_first(&things, |thing| (thing % 7 == 6).then_some(*thing)), Some(6));
            assert_eq!(find_first(&things, |thing| (*thing > count).then_some(())), None);
            assert!(try_each(&things, |_| Ok(())).is_ok());
            assert_eq!(map(&things, |thing| thing + 1), (1..=count).collect::<Vec<_>>());
            let refuse = |thing: &usize| if *thing == 9 { Err(crate::Error::Interrupted) } else { Ok(()) };
            assert!(try_each(&things, refuse).is_err());
        }
    }
}
