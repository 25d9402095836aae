//! The same small work on many things: on all cores where there are enough of them to pay for waking the cores.

use rayon::prelude::*;

use crate::error::Result;

/// Things from which working on them in parallel pays, at a system call or two each.
const MANY: usize = 512;

/// Things for which a thread is worth its start.
const FEW_FOR_A_THREAD: usize = 1024;

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
    let (first, others) = things.split_at(things.len().div_ceil(threads));
    let all = |part: &[T]| -> Vec<M> { part.iter().map(&work).collect() };
    std::thread::scope(|scope| {
        let started = |part| (part, std::thread::Builder::new().spawn_scoped(scope, move || all(part)));
        let others: Vec<_> = others.chunks(first.len().max(1)).map(started).collect();
        let mut made = all(first);
        for (part, thread) in others {
            // Where the system allows no more threads, or one has failed, the work is done here.
            made.extend(thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| all(part)));
        }
        made
    })
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
            assert_eq!(map(&things, |thing| thing + 1).last(), Some(&count));
            let refuse = |thing: &usize| if *thing == 9 { Err(crate::Error::Interrupted) } else { Ok(()) };
            assert!(try_each(&things, refuse).is_err());
        }
    }
}
