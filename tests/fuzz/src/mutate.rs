//! Changed seeds, which follow from a number.

/// Numbers that follow from the one it was made of (SplitMix64).
pub struct Numbers(u64);

impl Numbers {
    /// Those that follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    /// The next one.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.draw() % (end.max(1) as u64)) as usize
    }

    fn range(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..length.min(start + self.below(most))
    }
}

/// What has a meaning to some reader, or is at the end of what one takes.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"'",
    b"%",
    b"%2F",
    b"+",
    b"-",
    b"@",
    b"?",
    b"#",
    b"/",
    b"..",
    b":",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b"&",
    b"=",
    b"|",
    b"*",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"0",
    b"-1",
    b"1e999",
    b"18446744073709551615",
    b"18446744073709551616",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x80\x00",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\xc4\xb0",
    b"<!--",
    b"<![CDATA[",
    b"]]>",
    b"&lt;",
    b"pkg:npm/a@1",
    b"https://host.example/a?b#c",
    b"git+https://host.example/r.git",
    b"\\u0000",
    b"\\ud83d\\ude00",
];

/// `bytes`, changed in one to four places; `other` lends parts.
pub fn mutate(bytes: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=numbers.below(4) {
        change(&mut changed, other, numbers);
    }
    changed
}

fn change(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len());
    let some = numbers.range(bytes.len(), 32);
    match numbers.below(10) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << numbers.below(8),
        1 if !bytes.is_empty() => bytes[at] = numbers.draw() as u8,
        2 => drop(bytes.drain(some)),
        3 => {
            let again = bytes[some].to_vec();
            bytes.splice(at..at, again);
        }
        4 => bytes.truncate(at),
        5 => {
            let lent = numbers.range(other.len(), 64);
            bytes.splice(at..at, other[lent].iter().copied());
        }
        6 => {
            let lent = numbers.range(other.len(), 64);
            bytes.splice(some, other[lent].iter().copied());
        }
        7 => another_number(bytes, at, numbers),
        8 => {
            let word = WORDS[numbers.below(WORDS.len())];
            bytes.splice(some, word.iter().copied());
        }
        _ => {
            let word = WORDS[numbers.below(WORDS.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
}

/// Puts another decimal number in the place of the first one from `at` on.
fn another_number(bytes: &mut Vec<u8>, at: usize, numbers: &mut Numbers) {
    let digits = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = bytes.iter().skip(at).position(digits) else {
        return;
    };
    let start = at + start;
    let length = bytes[start..]
        .iter()
        .take_while(|byte| digits(byte))
        .count();
    let number = match numbers.below(4) {
        0 => numbers.below(4) as u64,
        1 => 1 << numbers.below(64),
        2 => u64::MAX - numbers.below(2) as u64,
        _ => numbers.draw() >> numbers.below(64),
    };
    bytes.splice(start..start + length, number.to_string().into_bytes());
}
