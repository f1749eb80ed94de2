//! Bodies being compressed: whole ones at once, long ones and streams piece by piece.

use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::BodyDataStream;
use bytes::Bytes;
use flate2::write::GzEncoder;
use futures::Stream;
use tokio::sync::OwnedSemaphorePermit;

use super::negotiate::Coding;

/// How much is compressed before others get a turn.
const PIECE_BYTES: usize = 32 << 10;
/// Levels that cost about as much time as they save on a fast line.
const GZIP_LEVEL: u32 = 4;
const BROTLI_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;
/// How far back is looked for repetitions, as a power of two: 512 KiB, so that many bodies at once fit in memory.
const WINDOW_LOG: u32 = 19;

/// One of the compressors, writing into memory.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    pub(super) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
            Coding::Brotli => {
                let writer = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_LEVEL, WINDOW_LOG);
                Self::Brotli(Box::new(writer))
            }
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.window_log(WINDOW_LOG)?;
                Self::Zstd(encoder)
            }
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    /// What has been compressed since the last time.
    fn take(&mut self) -> Bytes {
        let made = match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        };
        std::mem::take(made).into()
    }

    fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish()?,
        }
        .into())
    }
}

/// A whole body at once.
pub(super) fn at_once(coding: Coding, body: &[u8]) -> io::Result<Bytes> {
    if coding == Coding::Zstd {
        // Knows the length beforehand and needs less memory.
        return zstd::bulk::compress(body, ZSTD_LEVEL).map(Bytes::from);
    }
    let mut encoder = Encoder::new(coding)?;
    encoder.writer().write_all(body)?;
    encoder.finish()
}

/// A body being compressed while it is sent. What has come so far is sent on whenever no more is there at once.
pub(super) struct Compressing {
    body: BodyDataStream,
    /// Taken from the body, not yet compressed.
    rest: Bytes,
    /// Until the end.
    encoder: Option<Encoder>,
    /// Something was compressed that may still be held back.
    unsent: bool,
    _place: OwnedSemaphorePermit,
}

impl Compressing {
    /// Compresses `rest`, which was taken from the body already, and the remainder of `body`.
    pub(super) fn new(
        encoder: Encoder,
        rest: Bytes,
        body: BodyDataStream,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { body, rest, encoder: Some(encoder), unsent: false, _place: place }
    }

    /// Compresses the next piece of what is here; empty when all of it is held back.
    fn compress(&mut self) -> io::Result<Bytes> {
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        let Some(encoder) = &mut self.encoder else { return Ok(Bytes::new()) };
        encoder.writer().write_all(&piece)?;
        self.unsent = true;
        Ok(encoder.take())
    }

    fn flush(&mut self) -> io::Result<Bytes> {
        let Some(encoder) = &mut self.encoder else { return Ok(Bytes::new()) };
        encoder.writer().flush()?;
        self.unsent = false;
        Ok(encoder.take())
    }
}

impl Stream for Compressing {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        while this.encoder.is_some() {
            let made = if this.rest.is_empty() {
                match Pin::new(&mut this.body).poll_next(cx) {
                    Poll::Ready(Some(Ok(data))) => {
                        this.rest = data;
                        continue;
                    }
                    Poll::Ready(Some(Err(error))) => Err(io::Error::other(error)),
                    Poll::Ready(None) => match this.encoder.take() {
                        Some(encoder) => encoder.finish(),
                        None => return Poll::Ready(None),
                    },
                    Poll::Pending if this.unsent => match this.flush() {
                        Ok(made) if made.is_empty() => return Poll::Pending,
                        made => made,
                    },
                    Poll::Pending => return Poll::Pending,
                }
            } else {
                this.compress()
            };
            match made {
                Ok(made) if made.is_empty() => {}
                Ok(made) => return Poll::Ready(Some(Ok(made))),
                Err(error) => {
                    // The client must see that the body is cut short.
                    this.encoder = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}
