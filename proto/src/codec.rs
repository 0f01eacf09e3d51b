//! The codec of the generated services: prost's, with buffers of the sizes that our messages have.
//!
//! tonic's default takes two buffers of 8 KiB for every call; most of our messages have a fifth of
//! that, and a call's buffers are a large part of what a short call costs. Larger messages grow the
//! buffer to their length at once.

use prost::Message;
use std::marker::PhantomData;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::ProstCodec;

/// Room for a claim of 1 KiB with its signature, and for an inclusion proof in a log of a million
/// entries.
const BUFFER_BYTES: usize = 1536;

/// Encoded bytes after which a stream hands on what it has: tonic's own default.
const YIELD_BYTES: usize = 32 * 1024;

/// `application/grpc+proto` by prost.
#[derive(Debug, Clone)]
pub struct OurCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for OurCodec<T, U> {
    fn default() -> Self {
        OurCodec(PhantomData)
    }
}

impl<T, U> Codec for OurCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = <ProstCodec<T, U> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::new(BUFFER_BYTES, YIELD_BYTES))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<T, U>::raw_decoder(BufferSettings::new(BUFFER_BYTES, YIELD_BYTES))
    }
}
