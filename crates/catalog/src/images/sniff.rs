//! What a file is, by its content: names and headers are claims.

use imagesize::ImageType;

/// The largest file.
pub(crate) const UPLOAD_BYTES: usize = 5 << 20;
/// The longest side, in pixels.
const SIDE_MOST: usize = 10_000;
/// The largest area, in pixels: what a browser needs four bytes of memory for, each.
const AREA_MOST: usize = 50_000_000;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Looks {
    pub(crate) media_type: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookError {
    /// It begins like none of the formats, or its head is broken.
    #[error("the file is no readable JPEG, PNG or WebP")]
    Unknown,
    /// Its sides are out of bounds.
    #[error("the image has {0} x {1} pixels; each side may have 1 to 10000, and all together 50 million")]
    Size(usize, usize),
}

/// The type of a file that begins like one of the formats.
pub(crate) fn media_type(file: &[u8]) -> Option<&'static str> {
    match imagesize::image_type(file).ok()? {
        ImageType::Jpeg => Some("image/jpeg"),
        ImageType::Png => Some("image/png"),
        ImageType::Webp => Some("image/webp"),
        _ => None,
    }
}

/// Type and size of an image, from its head; pixels are not looked at.
pub(crate) fn look_at(file: &[u8]) -> Result<Looks, LookError> {
    let media_type = media_type(file).ok_or(LookError::Unknown)?;
    let size = imagesize::blob_size(file).map_err(|_| LookError::Unknown)?;
    let within = |side: usize| u32::try_from(side).ok().filter(|_| (1..=SIDE_MOST).contains(&side));
    let wrong = LookError::Size(size.width, size.height);
    let (width, height) = (within(size.width).ok_or(wrong)?, within(size.height).ok_or(wrong)?);
    if size.width * size.height > AREA_MOST {
        return Err(wrong);
    }
    Ok(Looks { media_type, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a PNG of that size.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
        file.extend(width.to_be_bytes());
        file.extend(height.to_be_bytes());
        file.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        file
    }

    // CAT-1
    #[test]
    fn what_is_no_picture_is_refused_whatever_it_is_called() {
        for file in [
            &b""[..],
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>",
            b"<html>",
            b"GIF89a\x01\x00\x01\x00",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0",
            b"RIFF\x00\x00\x00\x00WEBP",
        ] {
            assert_eq!(look_at(file), Err(LookError::Unknown), "{file:?}");
        }
    }

    #[test]
    fn sides_and_area_are_bounded() {
        assert_eq!(look_at(&png(800, 600)), Ok(Looks { media_type: "image/png", width: 800, height: 600 }));
        for (width, height) in
            [(0, 1), (1, 0), (10_001, 1), (1, 10_001), (10_000, 5_001), (u32::MAX, u32::MAX)]
        {
            assert_eq!(look_at(&png(width, height)), Err(LookError::Size(width as usize, height as usize)));
        }
        assert!(look_at(&png(10_000, 5_000)).is_ok());
    }
}
