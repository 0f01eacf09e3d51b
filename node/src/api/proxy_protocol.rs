//! The PROXY protocol, versions 1 and 2: for whom a proxy speaks that passes on connections and
//! does not look into them. Its header stands before everything else, TLS too.
//!
//! The header is read to its last byte and no further: what follows is the caller's.

use proxy_header::{ParseConfig, Protocol, ProxyHeader};
use std::{io, net::SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest header of version 1, as its specification has it.
const TEXT_BYTES: usize = 107;

/// Longest header of version 2 that is read: addresses, and what proxies add to them.
const BINARY_BYTES: usize = 4096;

/// How version 2 begins, and as many bytes as every header of version 1 has.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version, command, family and length of version 2.
const BINARY_FIXED: usize = SIGNATURE.len() + 4;

/// Why a connection of a proxy is closed.
#[derive(Debug, thiserror::Error)]
pub enum ProxyProtocolError {
    /// Nothing came at all: the proxy looked whether somebody listens.
    #[error("the connection ended before anything came")]
    Nothing,
    /// It does not begin with a header.
    #[error("the connection does not begin with a header of the PROXY protocol")]
    NoHeader,
    /// The header is longer than what is read.
    #[error("the header of the PROXY protocol is too long")]
    TooLong,
    /// The header is not of the protocol, or names no address of a connection.
    #[error("the header of the PROXY protocol is malformed")]
    Malformed,
    /// The connection failed, or ended within the header.
    #[error("the header of the PROXY protocol cannot be read")]
    Io(#[from] io::Error),
}

/// Reads the header of a connection. Returns who is at the other end, or `None` if the proxy speaks
/// for itself or does not know.
pub async fn read(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, ProxyProtocolError> {
    let mut header = vec![0; SIGNATURE.len()];
    if stream.read(&mut header[..1]).await? == 0 {
        return Err(ProxyProtocolError::Nothing);
    }
    match header[0] {
        b'P' => {
            stream.read_exact(&mut header[1..]).await?;
            rest_of_text(stream, &mut header).await?;
        }
        b'\r' => {
            stream.read_exact(&mut header[1..]).await?;
            rest_of_binary(stream, &mut header).await?;
        }
        _ => return Err(ProxyProtocolError::NoHeader),
    }
    let parsed = ProxyHeader::parse(&header, ParseConfig::default());
    let (parsed, length) = parsed.map_err(|_| ProxyProtocolError::Malformed)?;
    if length != header.len() {
        return Err(ProxyProtocolError::Malformed);
    }
    match parsed.proxied_address() {
        None => Ok(None),
        Some(proxied) if proxied.protocol == Protocol::Stream => Ok(Some(proxied.source)),
        Some(_) => Err(ProxyProtocolError::Malformed),
    }
}

/// Byte for byte: where the header ends is only known at its end.
async fn rest_of_text(
    stream: &mut (impl AsyncRead + Unpin),
    header: &mut Vec<u8>,
) -> Result<(), ProxyProtocolError> {
    if !header.starts_with(b"PROXY ") {
        return Err(ProxyProtocolError::NoHeader);
    }
    while header.last() != Some(&b'\n') {
        if header.len() == TEXT_BYTES {
            return Err(ProxyProtocolError::TooLong);
        }
        header.push(stream.read_u8().await?);
    }
    Ok(())
}

async fn rest_of_binary(
    stream: &mut (impl AsyncRead + Unpin),
    header: &mut Vec<u8>,
) -> Result<(), ProxyProtocolError> {
    if header != SIGNATURE {
        return Err(ProxyProtocolError::NoHeader);
    }
    header.resize(BINARY_FIXED, 0);
    stream.read_exact(&mut header[SIGNATURE.len()..]).await?;
    let length = u16::from_be_bytes([header[BINARY_FIXED - 2], header[BINARY_FIXED - 1]]);
    let whole = BINARY_FIXED + usize::from(length);
    if whole > BINARY_BYTES {
        return Err(ProxyProtocolError::TooLong);
    }
    header.resize(whole, 0);
    stream.read_exact(&mut header[BINARY_FIXED..]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said, in words, and what is left of the connection.
    async fn said(bytes: &[u8]) -> (String, String) {
        let mut rest = bytes;
        let said = match read(&mut rest).await {
            Ok(Some(source)) => source.to_string(),
            Ok(None) => "itself".to_owned(),
            Err(ProxyProtocolError::Io(_)) => "cut".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        (said, String::from_utf8_lossy(rest).into_owned())
    }

    fn binary(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, addresses].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

    #[tokio::test]
    async fn headers_say_who_calls_and_nothing_after_them_is_read() {
        let v6 = [
            [0x20, 1, 0xd, 0xb8].as_slice(),
            &[7; 28],
            &[0x12, 0x67, 0, 80],
        ]
        .concat();
        let with_more = [&V4[..], &[4, 0, 2, 0, 0]].concat();
        let most = vec![0; BINARY_BYTES - BINARY_FIXED - V4.len() - 3];
        let length = u16::try_from(most.len()).unwrap().to_be_bytes();
        let most = [&V4[..], &[4], &length, &most].concat();
        for (header, right) in [
            (
                b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n".to_vec(),
                "192.0.2.7:4711",
            ),
            (
                b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n".to_vec(),
                "[2001:db8::7]:4711",
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), "itself"),
            (b"PROXY UNKNOWN 1 2 3 4\r\n".to_vec(), "itself"),
            (binary(0x21, 0x11, &V4), "192.0.2.7:4711"),
            (binary(0x21, 0x11, &with_more), "192.0.2.7:4711"),
            (binary(0x21, 0x11, &most), "192.0.2.7:4711"),
            (
                binary(0x21, 0x21, &v6),
                "[2001:db8:707:707:707:707:707:707]:4711",
            ),
            (binary(0x20, 0x00, b""), "itself"),
            (binary(0x20, 0x11, &V4), "itself"),
            (binary(0x21, 0x00, b""), "itself"),
            (binary(0x21, 0x31, &[0; 216]), "itself"),
        ] {
            let bytes = [&header[..], b"GET /"].concat();
            let (found, rest) = said(&bytes).await;
            assert_eq!((&*found, &*rest), (right, "GET /"), "{header:?}");
            for end in 1..header.len() {
                assert_eq!(said(&header[..end]).await.0, "cut", "{header:?}: {end}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_told_from_one_that_is_wrong() {
        let text = |line: &str| format!("{line}\r\n").into_bytes();
        let long = text(&format!("PROXY UNKNOWN {}", "a".repeat(TEXT_BYTES)));
        for (bytes, right) in [
            (Vec::new(), "Nothing"),
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "NoHeader"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), "NoHeader"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(), "NoHeader"),
            (b"\r\n\r\n\0\r\nQUIT\r".to_vec(), "NoHeader"),
            (text("PROXYTCP4 192.0.2.7 10.0.0.1 1 2"), "NoHeader"),
            (text("PROXY TCP5 192.0.2.7 10.0.0.1 1 2"), "Malformed"),
            (text("PROXY TCP4 192.0.2 10.0.0.1 1 2"), "Malformed"),
            (text("PROXY TCP4 2001:db8::7 10.0.0.1 1 2"), "Malformed"),
            (text("PROXY TCP4 192.0.2.7 10.0.0.1 1 65536"), "Malformed"),
            (text("PROXY TCP4 192.0.2.7 10.0.0.1 1"), "Malformed"),
            (b"PROXY UNKNOWN\n".to_vec(), "Malformed"),
            (long, "TooLong"),
            (binary(0x21, 0x11, &[0; BINARY_BYTES]), "TooLong"),
            (binary(0x11, 0x11, &V4), "Malformed"),
            (binary(0x22, 0x11, &V4), "Malformed"),
            (binary(0x21, 0x41, &V4), "Malformed"),
            (binary(0x21, 0x12, &V4), "Malformed"),
            (binary(0x21, 0x11, &V4[..11]), "Malformed"),
            (binary(0x21, 0x31, &V4), "Malformed"),
        ] {
            assert_eq!(said(&bytes).await.0, right, "{bytes:?}");
        }
    }
}
