//! The ask: which object a request asks for, and whether it is there.

use super::name::Name;

/// Among the extensions of an answer, for those who count. Only a GET is counted: who looks whether there is something to be
/// put there does not miss it.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) name: Name,
    pub(super) hit: bool,
}
