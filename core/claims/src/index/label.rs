//! Labels, and the bit strings that they begin with.

use crate::issuer::IssuerId;
use assay_tlog::Hash;
use std::fmt;

/// What a label stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An artifact, by `<algorithm>:<hex>`.
    Digest,
    /// A package in all its versions, by purl without version, qualifiers and subpath.
    Package,
    /// One version of a package, by purl without qualifiers and subpath.
    Version,
    /// An issuer, by id in hex.
    Issuer,
    /// A claim that others speak of, by id in hex.
    Claim,
    /// A vulnerability, by id such as `CVE-2021-44228`.
    Vuln,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [
        Kind::Digest,
        Kind::Package,
        Kind::Version,
        Kind::Issuer,
        Kind::Claim,
        Kind::Vuln,
    ];

    /// The kind's name, as it is hashed.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Digest => "digest",
            Kind::Package => "package",
            Kind::Version => "version",
            Kind::Issuer => "issuer",
            Kind::Claim => "claim",
            Kind::Vuln => "vuln",
        }
    }
}

/// The first 16 bytes of `SHA-256("assay.index.v2\n" ‖ kind ‖ "\n" ‖ value)`.
fn half(kind: &str, value: &str) -> [u8; 16] {
    let hash = Hash::of_parts(&[
        b"assay.index.v2\n",
        kind.as_bytes(),
        b"\n",
        value.as_bytes(),
    ]);
    first_half(hash.as_bytes())
}

fn first_half(bytes: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}

/// What a label is about: the first half of it (docs/design.md 3.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name([u8; 16]);

impl Name {
    /// Bits in a name.
    pub const BITS: u16 = 128;

    /// The name of a `value` of this kind.
    pub fn new(kind: Kind, value: &str) -> Self {
        Name(half(kind.name(), value))
    }

    /// The name in 16 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Name(bytes.try_into().ok()?))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// What all labels of this name begin with.
    pub fn prefix(&self) -> Prefix {
        Prefix::of(&Label::of(*self, By::FIRST), Name::BITS)
    }
}

/// By whom, or of which type: the second half of a label (docs/design.md 3.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct By([u8; 16]);

impl By {
    /// The smallest.
    pub(super) const FIRST: By = By([0; 16]);

    /// The half of what this issuer signed: the first 16 bytes of its id.
    pub fn issuer(id: &IssuerId) -> Self {
        By(first_half(id.as_bytes()))
    }

    /// The half of what an issuer said in this predicate type, for names of [`Kind::Issuer`].
    pub fn predicate_type(uri: &str) -> Self {
        By(half("type", uri))
    }

    /// The half in 16 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(By(bytes.try_into().ok()?))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A label of the index: what is spoken of, then by whom (docs/design.md 3.5). Both halves only
/// select: whoever relies on an entry compares full names and ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Hash);

impl Label {
    /// Bits in a label.
    pub const BITS: u16 = 256;

    /// The label of a name and a speaker.
    pub fn of(name: Name, by: By) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&name.0);
        bytes[16..].copy_from_slice(&by.0);
        Label::from_bytes(bytes)
    }

    /// The first half.
    pub fn name(&self) -> Name {
        Name(first_half(self.as_bytes()))
    }

    /// The second half.
    pub fn by(&self) -> By {
        let mut half = [0; 16];
        half.copy_from_slice(&self.as_bytes()[16..]);
        By(half)
    }

    /// Takes the 32 bytes of a label as they are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Label(Hash::new(bytes))
    }

    /// The label in 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Hash::from_slice(bytes).map(Label)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Bit `at`, from 0, the most significant one of the first byte.
    pub(super) fn bit(&self, at: u8) -> bool {
        self.as_bytes()[usize::from(at / 8)] >> (7 - at % 8) & 1 == 1
    }

    /// How many bits both begin with: up to 256.
    pub(super) fn common(&self, other: &Label) -> u16 {
        common_bits(self.as_bytes(), other.as_bytes())
    }
}

/// How many bits both begin with.
fn common_bits(a: &[u8; 32], b: &[u8; 32]) -> u16 {
    let (a, _) = a.as_chunks::<8>();
    let (b, _) = b.as_chunks::<8>();
    let mut bits = 0;
    for (a, b) in a.iter().zip(b) {
        let differ = u64::from_be_bytes(*a) ^ u64::from_be_bytes(*b);
        bits += differ.leading_zeros() as u16;
        if differ != 0 {
            break;
        }
    }
    bits
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "By({self})")
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({self})")
    }
}

/// The first bits of labels: from none to all 256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// Zero after its bits.
    first: Label,
    bits: u16,
}

impl Prefix {
    /// The prefix of no bits, which every label has.
    pub const EMPTY: Prefix = Prefix {
        first: Label::from_bytes([0; 32]),
        bits: 0,
    };

    /// The first `bits` of a label, at most 256.
    pub fn of(label: &Label, bits: u16) -> Self {
        let bits = bits.min(Label::BITS);
        let mut bytes = *label.as_bytes();
        let whole = usize::from(bits / 8);
        if let Some(partial) = bytes.get_mut(whole) {
            *partial &= !(0xff_u8 >> (bits % 8));
        }
        if let Some(rest) = bytes.get_mut(whole + 1..) {
            rest.fill(0);
        }
        Prefix {
            first: Label::from_bytes(bytes),
            bits,
        }
    }

    /// A prefix as it travels: its bits in 32 bytes or fewer, zero after them. `None` if they are
    /// not, or more than 256.
    pub fn from_wire(bytes: &[u8], bits: u16) -> Option<Self> {
        let mut padded = [0; 32];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let label = Label::from_bytes(padded);
        let prefix = Prefix::of(&label, bits);
        (bits <= Label::BITS && prefix.first == label).then_some(prefix)
    }

    /// How many bits it has.
    pub fn bits(&self) -> u16 {
        self.bits
    }

    /// The first label that has it: its bits, then zeros.
    pub fn first(&self) -> &Label {
        &self.first
    }

    /// The last label that has it: its bits, then ones.
    pub fn last(&self) -> Label {
        let mut bytes = *self.first.as_bytes();
        let whole = usize::from(self.bits / 8);
        if let Some(partial) = bytes.get_mut(whole) {
            *partial |= 0xff_u8 >> (self.bits % 8);
        }
        if let Some(rest) = bytes.get_mut(whole + 1..) {
            rest.fill(0xff);
        }
        Label::from_bytes(bytes)
    }

    /// The bytes that its bits reach into.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.first.as_bytes()[..usize::from(self.bits.div_ceil(8))]
    }

    /// How many bits the label begins with that this prefix begins with, too: up to the prefix's
    /// own.
    pub(super) fn common(&self, label: &Label) -> u16 {
        self.first.common(label).min(self.bits)
    }

    /// Whether the label begins with this prefix.
    pub fn holds(&self, label: &Label) -> bool {
        self.common(label) == self.bits
    }

    /// Whether what begins with `other` begins with this prefix.
    pub(super) fn covers(&self, other: &Prefix) -> bool {
        self.bits <= other.bits && self.holds(&other.first)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({}/{})", hex::encode(self.bytes()), self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flipped(at: u16) -> Label {
        let mut bytes = [0x5a; 32];
        bytes[usize::from(at / 8)] ^= 0x80 >> (at % 8);
        Label::from_bytes(bytes)
    }

    #[test]
    fn every_bit_is_counted() {
        let label = Label::from_bytes([0x5a; 32]);
        assert_eq!(label.common(&label), 256);
        for at in 0..256_u16 {
            assert_eq!(label.common(&flipped(at)), at);
            assert_ne!(label.bit(at as u8), flipped(at).bit(at as u8));
            for bits in 0..=256 {
                let prefix = Prefix::of(&label, bits);
                assert_eq!(
                    prefix.holds(&flipped(at)),
                    bits <= at,
                    "{bits} bits, bit {at} differs"
                );
                assert_eq!(prefix.common(&flipped(at)), bits.min(at));
            }
        }
    }

    #[test]
    fn a_prefix_spans_what_begins_with_it() {
        let label = Label::from_bytes([0x5a; 32]);
        for bits in 0..=256 {
            let prefix = Prefix::of(&label, bits);
            assert!(prefix.holds(prefix.first()) && prefix.holds(&prefix.last()));
            assert_eq!(prefix.first().common(&prefix.last()), bits);
            assert_eq!(Prefix::from_wire(prefix.bytes(), bits), Some(prefix));
            assert!(Prefix::EMPTY.covers(&prefix) && prefix.covers(&prefix));
            assert_eq!(prefix.covers(&Prefix::EMPTY), bits == 0);
        }
    }

    #[test]
    fn a_prefix_is_zero_after_its_bits() {
        assert!(Prefix::from_wire(&[0b1010_0000], 3).is_some());
        assert!(Prefix::from_wire(&[0b1011_0000], 3).is_none());
        assert!(Prefix::from_wire(&[0; 33], 3).is_none());
        assert!(Prefix::from_wire(&[0; 32], 257).is_none());
    }

    #[test]
    fn kinds_do_not_mix() {
        let names: std::collections::BTreeSet<_> =
            Kind::ALL.iter().map(|kind| Name::new(*kind, "x")).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        let spelled = Hash::of(b"assay.index.v2\npackage\npkg:cargo/serde");
        assert_eq!(
            Name::new(Kind::Package, "pkg:cargo/serde").as_bytes(),
            &spelled.as_bytes()[..16]
        );
    }

    #[test]
    fn a_label_is_its_halves() {
        let name = Name::new(Kind::Package, "pkg:cargo/serde");
        let by = By::predicate_type("https://e.org/x");
        let label = Label::of(name, by);
        assert_eq!((label.name(), label.by()), (name, by));
        assert!(name.prefix().holds(&label));
        assert_eq!(name.prefix().bits(), 128);
        let id = IssuerId::from_slice(&[7; 32]).unwrap();
        assert_eq!(By::issuer(&id).as_bytes(), &[7; 16]);
        assert_eq!(Name::from_slice(&[0; 15]), None);
        assert_eq!(By::from_slice(&[0; 17]), None);
    }
}
