//! What a template may be and use.

/// Longest template in bytes (AWS: 300 KB).
pub const TEMPLATE_BYTES_MAX: usize = 300 * 1024;
/// Deepest nesting of blocks and expressions.
pub const NESTING_MAX: usize = 100;
/// Most operations of one kind in a row: `1 + 1 + …`.
pub const OPERATIONS_MAX: usize = 500;
/// Most passes of one `#foreach` (AWS: 1,000). The loop ends there, as Velocity's `directive.foreach.maxloops` does.
pub const FOREACH_PASSES_MAX: usize = 1_000;
/// Most steps of one run; a step over a long text or list counts by its length.
pub const STEPS_MAX: u64 = 2_000_000;
/// Bytes of text or items of a list that count as one step.
pub const BYTES_PER_STEP: usize = 64;
/// A key or element that is passed over in a search counts as so many bytes.
pub const BYTES_PER_KEY: usize = 8;
/// Most bytes of output: AWS's largest payload.
pub const OUTPUT_BYTES_MAX: usize = 10_485_760;
/// Most bytes of texts, lists and maps of one run.
pub const VALUE_BYTES_MAX: usize = 48 * 1024 * 1024;
/// Deepest calls of macros (Velocity: `velocimacro.max.depth`).
pub const MACRO_DEPTH_MAX: usize = 20;
/// Deepest nesting of macros, blocks and by-name arguments that run within each other.
pub const CALL_DEPTH_MAX: usize = 100;
/// A block of `#define` may run within itself this often (Velocity: `define.provide.max.depth`).
pub const BLOCK_DEPTH_MAX: u32 = 2;
/// Deepest nesting of lists and maps that is printed or compared.
pub const VALUE_DEPTH_MAX: usize = 200;
