//! The list of all labs: each is a real bottleneck, served beside its fix. An area is a folder and a crate, so
//! that an edit compiles the labs of one area and no others.
//!
//! To add one: `chokepoint new-lab`. CONTRIBUTING.md lists what follows.

use std::sync::LazyLock;

use workshop::Lab;

/// All labs in teaching order.
pub static CATALOGUE: LazyLock<Vec<&'static Lab>> = LazyLock::new(|| {
    [
        async_runtime::LABS,
        database::LABS,
        cache::LABS,
        cpu_memory::LABS,
        overload::LABS,
        observability::LABS,
    ]
    .concat()
});
