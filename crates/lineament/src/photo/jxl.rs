//! JPEG XL, by jxl-oxide.

use jxl_oxide::{InitializeResult, JxlImage, JxlThreadPool};

use super::decode::{Stored, check_size};
use super::{Limits, PhotoError};

const FORMAT: &str = "JPEG XL";

/// Whether the first bytes are those of a stream, or of a container with one in it.
pub(super) fn recognise(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0x0a]) || bytes.starts_with(b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a")
}

/// The first image, upright: the stream itself says how it is turned.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Stored, PhotoError> {
    let broken =
        |error: &dyn std::fmt::Display| PhotoError::Broken { format: FORMAT, reason: error.to_string() };
    let truncated = || PhotoError::Truncated { format: FORMAT };
    let mut started = JxlImage::builder().pool(JxlThreadPool::none()).build_uninit();
    started.feed_bytes(bytes).map_err(|error| broken(&error))?;
    let mut image = match started.try_init().map_err(|error| broken(&error))? {
        InitializeResult::Initialized(image) => image,
        InitializeResult::NeedMoreData(_) => return Err(truncated()),
    };
    check_size(image.width(), image.height(), limits)?;
    image.finalize().map_err(|error| broken(&error))?;
    if image.num_loaded_keyframes() == 0 {
        return Err(truncated());
    }
    if image.pixel_format().has_black() {
        return Err(PhotoError::Unsupported {
            format: FORMAT,
            reason: "inks in the place of colours".into(),
        });
    }
    let render = image.render_frame(0).map_err(|error| broken(&*error))?;
    let mut stream = render.stream();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels() as usize);
    check_size(width, height, limits)?;
    let mut samples = vec![0u8; width as usize * height as usize * channels];
    stream.write_to_buffer(&mut samples);
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for pixel in samples.chunks_exact(channels.max(1)) {
        let (colour, alpha) = match *pixel {
            [grey] => ([grey; 3], 255),
            [grey, alpha] => ([grey; 3], alpha),
            [r, g, b] => ([r, g, b], 255),
            [r, g, b, alpha, ..] => ([r, g, b], alpha),
            [] => break,
        };
        rgb.extend(colour.map(|value| super::decode::blend(value, alpha)));
    }
    Ok(Stored { width, height, rgb, orientation: Some(1), notes: Vec::new() })
}
