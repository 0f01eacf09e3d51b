use super::*;

/// Written by the tool `age` 1.1.1 (`age -p -a`), which asks for 2^18 steps.
const BY_AGE: &str = "-----BEGIN AGE ENCRYPTED FILE-----\n\
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBlMXNjMjRTUGtjWUhzcVpF\n\
    WThZZ2ZnIDE4CmYzQnpYeDdJY2NONU9aNXlIbHNRdXdCWFNXbWhLWmdPKzJvVnNV\n\
    ZHFLZFUKLS0tIDZXRExZSUczMzZzUUR4Z2ZUQk82V2xYYlRIUjZkeXNwNDNMcnpx\n\
    U0VkT3cKkfYEEHUmh7pANGv387SO+0WiCJNEQe2x3ShvZx79JWRVk6JqVKKg3Aln\n\
    EVM7Gyx8HvXXhp7AAFVK1MOitQQeA4KH\n\
    -----END AGE ENCRYPTED FILE-----\n";

/// The same tool's, for a key.
const FOR_A_KEY: &str = "-----BEGIN AGE ENCRYPTED FILE-----\n\
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBKZnFBZDdJdy96REN6dW90\n\
    U1JYMUY5eTNlMnBYR3k3U0xXTVVybDFEWUVNClRUS21mUloxaEtkMzUyTWcvT001\n\
    VHkrS3hwbTYzNWFYcWNVL2RGejVQZmcKLS0tIHVpZ3hhNG92VkJnYlloeDZObEIv\n\
    YmpqN1EzZ21lR1NrcjhibDV6eitxdzgKTkZMrmcG0VlScWupyWkTZum44BYxujXG\n\
    YBHmJWTPSuzzRfC1GLiyLalVwGssHwLya7pmPyC9hXp9q6ZOtnLPQFqy\n\
    -----END AGE ENCRYPTED FILE-----\n";

const CONTENT: &[u8] = b"a key that another tool encrypted\n";

fn typed(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
}

fn random(byte: u8) -> Random {
    Random {
        file_key: Zeroizing::new([byte; FILE_KEY]),
        salt: [byte + 1; SALT],
        nonce: [byte + 2; NONCE],
    }
}

fn binary(content: &[u8], work: u8) -> Vec<u8> {
    let file = encrypt(content, &typed("one"), work, &random(1)).unwrap();
    unarmor(file.as_bytes()).unwrap()
}

#[test]
fn what_the_tool_age_wrote_is_read() {
    let passphrase = typed("correct horse");
    assert!(is_encrypted(BY_AGE.as_bytes()));
    assert_eq!(**decrypt(BY_AGE.as_bytes(), &passphrase).unwrap(), *CONTENT);
    let binary = unarmor(BY_AGE.as_bytes()).unwrap();
    assert!(is_encrypted(&binary));
    assert_eq!(**decrypt(&binary, &passphrase).unwrap(), *CONTENT);
    let edited = format!("\n  {}", BY_AGE.replace('\n', "\r\n"));
    assert!(is_encrypted(edited.as_bytes()));
    let read = decrypt(edited.as_bytes(), &passphrase).unwrap();
    assert_eq!(**read, *CONTENT);
    let wrong = decrypt(BY_AGE.as_bytes(), &typed("correct horse "));
    assert_eq!(wrong, Err(AgeError::Passphrase));
    let for_a_key = decrypt(FOR_A_KEY.as_bytes(), &passphrase);
    assert_eq!(for_a_key, Err(AgeError::Recipient));
}

/// `age -d` opens this one with the passphrase `one`: looked at by hand when it was written, since
/// the tool asks for passphrases at terminals only.
#[test]
fn what_is_written_has_these_bytes() {
    let file = encrypt(b"secret", &typed("one"), 2, &random(1)).unwrap();
    assert_eq!(file, WRITTEN);
    assert_eq!(
        **decrypt(file.as_bytes(), &typed("one")).unwrap(),
        *b"secret"
    );
}

const WRITTEN: &str = "-----BEGIN AGE ENCRYPTED FILE-----\n\
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBBZ0lDQWdJQ0FnSUNBZ0lD\n\
    QWdJQ0FnIDIKRzNhVXFxdlN3RzVOUWxpdlRVc2VyeWdKVlhaOThwMEVHMU9SU3ln\n\
    dEkzQQotLS0gZ2toK1c1OE5DZVZKZjBQemJCLzczdEZYTit4Wkx0cVhWZGtTNW4v\n\
    WWZ6MAoDAwMDAwMDAwMDAwMDAwMDBc2A3Z8p9ryXYj25nprvOq9nctPD6w==\n\
    -----END AGE ENCRYPTED FILE-----\n";

#[test]
fn every_length_that_is_written_is_read() {
    for length in [0, 1, 47, 48, 49, 5000, 11_000] {
        let content = vec![7; length];
        let file = encrypt(&content, &typed("one"), 1, &random(3)).unwrap();
        assert!(file.lines().all(|line| line.len() <= ARMOR_COLUMNS));
        assert_eq!(**decrypt(file.as_bytes(), &typed("one")).unwrap(), content);
    }
    let long = encrypt(&vec![7; FILE_BYTES], &typed("one"), 1, &random(3));
    assert_eq!(long, Err(AgeError::Malformed));
    assert_eq!(
        decrypt(&vec![b'a'; FILE_BYTES + 1], &typed("one")),
        Err(AgeError::Malformed)
    );
}

#[test]
fn no_changed_file_is_read() {
    let file = binary(b"secret", 1);
    let passphrase = typed("one");
    assert!(decrypt(&file, &passphrase).is_ok());
    for i in 0..file.len() {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[i] ^= 1 << bit;
            assert!(
                decrypt(&changed, &passphrase).is_err(),
                "byte {i}, bit {bit}"
            );
        }
        assert!(decrypt(&file[..i], &passphrase).is_err(), "cut at {i}");
    }
    let longer = [&file[..], b"\n"].concat();
    assert_eq!(decrypt(&longer, &passphrase), Err(AgeError::Damaged));
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(parse_work("20"), Ok(MOST_WORK));
    let text = |work: &str, more: &str| {
        let salt = BASE64_STANDARD_NO_PAD.encode([1; SALT]);
        let wrapped = BASE64_STANDARD_NO_PAD.encode([1; FILE_KEY + TAG]);
        let mac = BASE64_STANDARD_NO_PAD.encode([1; 32]);
        format!("{VERSION}\n-> scrypt {salt} {work}\n{wrapped}\n{more}--- {mac}\n0123456789abcdef")
    };
    for (file, expected) in [
        (text("1", ""), AgeError::Passphrase),
        (text("21", ""), AgeError::Work(21)),
        (text("255", ""), AgeError::Work(255)),
        (text("256", ""), AgeError::Malformed),
        (text("0", ""), AgeError::Malformed),
        (text("01", ""), AgeError::Malformed),
        (text("+1", ""), AgeError::Malformed),
        (text("-1", ""), AgeError::Malformed),
        (text("1 2", ""), AgeError::Malformed),
        (text("1", "-> X25519 a\nb\n"), AgeError::Recipient),
        (text("1", "more\n"), AgeError::Malformed),
        (text("1", "").replace("v1", "v2"), AgeError::Malformed),
        (
            text("1", "").replace("scrypt", "ssh-rsa"),
            AgeError::Recipient,
        ),
        (text("1", "").replace('\n', "\r\n"), AgeError::Malformed),
        (String::new(), AgeError::Malformed),
        (ARMOR_BEGIN.to_owned(), AgeError::Malformed),
        (format!("{ARMOR_BEGIN}{ARMOR_END}"), AgeError::Malformed),
    ] {
        let refused = decrypt(file.as_bytes(), &typed("one"));
        assert_eq!(refused, Err(expected), "{file}");
    }
}

#[test]
fn a_passphrase_is_one_line_and_not_shown() {
    for (text, expected) in [
        ("a", Some("a")),
        ("a\n", Some("a")),
        ("a\r\n", Some("a")),
        (" a b ", Some(" a b ")),
        ("", None),
        ("\n", None),
        ("\r\n", None),
        ("a\nb", None),
        ("a\n\n", None),
        ("a\0", None),
    ] {
        let passphrase = Passphrase::new(Zeroizing::new(text.to_owned()));
        let read = passphrase.as_ref().map(|passphrase| passphrase.0.as_str());
        assert_eq!(read, expected, "{text:?}");
    }
    let long = "a".repeat(PASSPHRASE_BYTES);
    assert!(Passphrase::new(Zeroizing::new(long.clone())).is_some());
    assert!(Passphrase::new(Zeroizing::new(long + "a")).is_none());
    assert!(!format!("{:?}", typed("hidden")).contains("hidden"));
}
