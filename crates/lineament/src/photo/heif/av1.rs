//! One picture of AV1.

use heic_rs::hevc::{ChromaFormat, Frame};
use heic_rs::props::colr::Nclx;
use heic_rs::{MatrixCoefficients, Range};
use re_rav1d::dav1d::pixel::YUVRange;
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};

use super::{Coded, Fault};
use crate::photo::Limits;

/// Decodes the first picture of a stream.
pub(super) fn decode(data: Vec<u8>, limits: &Limits) -> Result<Coded, Fault> {
    let fault = |error: Error| Fault::Stream(format!("AV1: {error}"));
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_frame_size_limit(u32::try_from(limits.max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(fault)?;
    decoder.send_data(data, None, None, None).map_err(fault)?;
    let picture = decoder.get_picture().map_err(fault)?;
    let matrix_code = picture.matrix_coefficients() as u16;
    let colours = Nclx {
        primaries: 2,
        transfer: 2,
        matrix: MatrixCoefficients::from_code(matrix_code),
        matrix_code,
        range: if picture.color_range() == YUVRange::Full { Range::Full } else { Range::Limited },
    };
    let frame = frame(&picture);
    frame.validate()?;
    Ok(Coded { frame, colours: Some(colours) })
}

fn frame(picture: &Picture) -> Frame {
    let (width, height) = (picture.width(), picture.height());
    let chroma = match picture.pixel_layout() {
        PixelLayout::I400 => ChromaFormat::Monochrome,
        PixelLayout::I420 => ChromaFormat::Yuv420,
        PixelLayout::I422 => ChromaFormat::Yuv422,
        PixelLayout::I444 => ChromaFormat::Yuv444,
    };
    let (across, down) = chroma.chroma_size(width, height);
    let samples = |component, width: u32, height: u32| {
        if width == 0 {
            return Vec::new();
        }
        let (plane, stride) = (picture.plane(component), picture.stride(component) as usize);
        let wide = picture.bit_depth() > 8;
        let mut samples = Vec::with_capacity(width as usize * height as usize);
        for row in plane.chunks(stride.max(1)).take(height as usize) {
            if wide {
                let pairs = row.chunks_exact(2).take(width as usize);
                samples.extend(pairs.filter_map(|two| Some(u16::from_ne_bytes(*two.first_chunk()?))));
            } else {
                samples.extend(row.iter().take(width as usize).map(|&value| u16::from(value)));
            }
        }
        samples
    };
    Frame {
        width,
        height,
        bit_depth: picture.bit_depth() as u8,
        chroma,
        y: samples(PlanarImageComponent::Y, width, height),
        cb: samples(PlanarImageComponent::U, across, down),
        cr: samples(PlanarImageComponent::V, across, down),
        y_stride: width,
        c_stride: across,
    }
}
