//! The bounds of memory.

/// The largest block of a file, in bytes: a packet with its header and options.
pub const BLOCK: usize = 16 << 20;

/// The most bytes of one connection that wait for earlier ones.
pub const HELD_BY_ONE: usize = 16 << 20;

/// The most bytes of all connections together that wait for earlier ones.
pub const HELD_BY_ALL: usize = 64 << 20;

/// The memory of a waiting piece beside its bytes.
pub(crate) const PIECE: usize = 128;

/// The most connections at one time. Connections that have ended, or have carried no bytes, make
/// room for new ones.
pub const CONNECTIONS: usize = 1000;

/// How many connections are looked at, at once, to find one that can make room.
pub(crate) const SEARCHED: usize = 64;

/// How many segments with bytes a connection may have before its beginning must have been seen.
/// Until then, the segment with the beginning may still come: packets are not always captured in
/// order.
pub(crate) const UNSETTLED: usize = 32;

/// The most interfaces of one section of a pcapng file.
pub(crate) const INTERFACES: usize = 4096;

/// The most ports and link types that a summary lists.
pub(crate) const LISTED: usize = 64;
