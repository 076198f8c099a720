//! One picture: from the bytes of a JPEG or PNG file to pixels of the size and the channels that are wanted.
//! Must not know where the bytes come from.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageReader, Limits, RgbImage};

use crate::error::{Error, Result, catch};
use crate::manifest::{Channels, Size};

/// Longest side of a picture.
const LONGEST_SIDE: u32 = 16_384;
/// Most bytes that decoding takes.
const MOST_BYTES: u64 = 1 << 28;
/// Most pixels that a picture is resized to.
const MOST_PIXELS: u64 = 1 << 24;

/// How pictures become what the network sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preparation {
    /// Resized to that: the shorter side where it is one number.
    pub(super) resize: Option<Size>,
    /// Cut out of the middle afterwards.
    pub(super) crop: Option<Size>,
    /// Channels and their order.
    pub(super) channels: Channels,
}

/// Pixels from 0 to 255, channel by channel, row by row.
#[derive(Debug, PartialEq)]
pub(super) struct Picture {
    /// Channels, height, width.
    pub(super) shape: [usize; 3],
    /// As many as the product of the shape.
    pub(super) pixels: Vec<u8>,
}

impl Preparation {
    /// Decodes a file, told apart by its contents. Transparency is dropped, and so is what a file says about
    /// the side that is up.
    ///
    /// # Errors
    /// A user error if it is no picture, damaged, too large, or smaller than what is cut out of it.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<Picture> {
        let decoded = catch(|| decode(bytes)).unwrap_or_else(Err);
        let picture = decoded.map_err(|cause| {
            Error::user(format!("it cannot be decoded: {cause}"))
                .help("pictures are files in JPEG or PNG format")
        })?;
        self.prepare(&picture.into_rgb8())
    }

    /// The same for brightness alone, `width` in a row.
    ///
    /// # Errors
    /// As [`Preparation::decode`].
    pub(super) fn of_grey(&self, pixels: &[u8], height: usize, width: usize) -> Result<Picture> {
        let image = u32::try_from(width).ok().zip(u32::try_from(height).ok());
        let image = image.and_then(|(w, h)| GrayImage::from_raw(w, h, pixels.to_vec()));
        let image =
            image.ok_or_else(|| Error::bug("an image has more or fewer pixels than its size"))?;
        self.prepare(&DynamicImage::ImageLuma8(image).into_rgb8())
    }

    fn prepare(&self, picture: &RgbImage) -> Result<Picture> {
        if self.channels == Channels::Grey {
            let grey = GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
                image::Luma([brightness(picture.get_pixel(x, y).0)])
            });
            let grey = match self.resized(grey.dimensions())? {
                Some((width, height)) => {
                    imageops::resize(&grey, width, height, FilterType::Triangle)
                }
                None => grey,
            };
            let (x, y, width, height) = self.cut(grey.dimensions())?;
            let grey = imageops::crop_imm(&grey, x, y, width, height).to_image();
            return Ok(planes(grey.as_raw(), width, height, &[0]));
        }
        let resized = self.resized(picture.dimensions())?;
        let resized = resized
            .map(|(width, height)| imageops::resize(picture, width, height, FilterType::Triangle));
        let picture = resized.as_ref().unwrap_or(picture);
        let (x, y, width, height) = self.cut(picture.dimensions())?;
        let picture = imageops::crop_imm(picture, x, y, width, height).to_image();
        let order: &[usize] = match self.channels {
            Channels::Bgr => &[2, 1, 0],
            _ => &[0, 1, 2],
        };
        Ok(planes(picture.as_raw(), width, height, order))
    }

    /// Width and height after resizing, where it is asked for. The longer side is rounded down.
    fn resized(&self, (width, height): (u32, u32)) -> Result<Option<(u32, u32)>> {
        let (to_width, to_height) = match self.resize {
            None => return Ok(None),
            Some(Size::Both([to_height, to_width])) => (u64::from(to_width), u64::from(to_height)),
            Some(Size::One(side)) => {
                let [side, width, height] = [side, width, height].map(u64::from);
                let longer = |long: u64, short: u64| side * long / short.max(1);
                match width <= height {
                    true => (side, longer(height, width)),
                    false => (longer(width, height), side),
                }
            }
        };
        if to_width * to_height > MOST_PIXELS {
            return Err(Error::user(format!(
                "resized from {height} x {width} it would be {to_height} x {to_width}, which is too large"
            ))
            .help("give `resize` in `[data]` as `[height, width]`"));
        }
        Ok(Some((to_width as u32, to_height as u32)))
    }

    /// Left, top, width and height of what is cut out. Of an odd rest the half is rounded to even.
    fn cut(&self, (width, height): (u32, u32)) -> Result<(u32, u32, u32, u32)> {
        let (to_width, to_height) = match self.crop {
            None => (width, height),
            Some(Size::One(side)) => (side, side),
            Some(Size::Both([to_height, to_width])) => (to_width, to_height),
        };
        if to_width > width || to_height > height {
            return Err(Error::user(format!(
                "it is {height} x {width}, less than the {to_height} x {to_width} that are cut out of it"
            ))
            .help("`resize` in `[data]` makes it larger before `crop`"));
        }
        let start = |rest: u32| rest / 2 + (rest % 2) * (rest / 2 % 2);
        Ok((
            start(width - to_width),
            start(height - to_height),
            to_width,
            to_height,
        ))
    }
}

fn decode(bytes: &[u8]) -> std::result::Result<DynamicImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|cause| cause.to_string())?;
    reader.limits(limits);
    reader.decode().map_err(|cause| cause.to_string())
}

/// Brightness by the weights of ITU-R BT.601 in 16-bit fixed point, as Pillow has it.
fn brightness([red, green, blue]: [u8; 3]) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((red * 19_595 + green * 38_470 + blue * 7471 + 0x8000) >> 16) as u8
}

/// From pixels with all their channels together to one channel after the other, those of `order`.
fn planes(pixels: &[u8], width: u32, height: u32, order: &[usize]) -> Picture {
    let channels = order.len();
    let plane = |channel: &usize| pixels.iter().skip(*channel).step_by(channels).copied();
    Picture {
        shape: [channels, height as usize, width as usize],
        pixels: order.iter().flat_map(plane).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use image::{ImageFormat, Rgb, Rgba};

    const PLAIN: Preparation = Preparation {
        resize: None,
        crop: None,
        channels: Channels::Rgb,
    };

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn colours() -> DynamicImage {
        RgbImage::from_fn(2, 1, |x, _| Rgb([[10, 20, 30], [200, 100, 50]][x as usize])).into()
    }

    #[test]
    fn channels_are_what_is_asked_for() {
        let bytes = file(&colours(), ImageFormat::Png);
        let pixels = |channels| {
            Preparation { channels, ..PLAIN }
                .decode(&bytes)
                .unwrap()
                .pixels
        };
        assert_eq!(pixels(Channels::Rgb), [10, 200, 20, 100, 30, 50]);
        assert_eq!(pixels(Channels::Bgr), [30, 50, 20, 100, 10, 200]);
        // 0.299 r + 0.587 g + 0.114 b.
        assert_eq!(pixels(Channels::Grey), [18, 124]);
        let grey = GrayImage::from_raw(2, 1, vec![0, 255]).unwrap();
        let bytes = file(&grey.into(), ImageFormat::Png);
        let rgb = PLAIN.decode(&bytes).unwrap();
        assert_eq!(
            (rgb.shape, &rgb.pixels[..]),
            ([3, 1, 2], &[0, 255, 0, 255, 0, 255][..])
        );
        let channels = Channels::Grey;
        let grey = Preparation { channels, ..PLAIN };
        assert_eq!(grey.decode(&bytes).unwrap().pixels, [0, 255]);
        assert_eq!(
            grey.of_grey(&[0, 255], 1, 2).unwrap(),
            grey.decode(&bytes).unwrap()
        );
        let clear = image::RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 0]));
        let clear = PLAIN
            .decode(&file(&clear.into(), ImageFormat::Png))
            .unwrap();
        assert_eq!(clear.pixels, [1, 2, 3]);
        let black = PLAIN
            .decode(&file(&RgbImage::new(9, 7).into(), ImageFormat::Jpeg))
            .unwrap();
        assert_eq!((black.shape, black.pixels), ([3, 7, 9], vec![0; 189]));
    }

    #[test]
    fn sizes_follow_the_shorter_side_and_the_middle() {
        let sized = |resize, crop| Preparation {
            resize,
            crop,
            ..PLAIN
        };
        let resized = |resize, size| sized(Some(resize), None).resized(size).unwrap().unwrap();
        assert_eq!(resized(Size::One(256), (500, 375)), (341, 256));
        assert_eq!(resized(Size::One(256), (375, 500)), (256, 341));
        assert_eq!(resized(Size::Both([2, 3]), (375, 500)), (3, 2));
        assert!(
            sized(Some(Size::One(224)), None)
                .resized((1, 16_000))
                .is_err()
        );
        let cut = |crop, size| sized(None, Some(crop)).cut(size).unwrap();
        assert_eq!(cut(Size::One(224), (341, 256)), (58, 16, 224, 224));
        // Halves of 1 and 3 are rounded to 0 and 2.
        assert_eq!(cut(Size::Both([3, 4]), (5, 6)), (0, 2, 4, 3));
        assert!(sized(None, Some(Size::One(7))).cut((8, 6)).is_err());
        let bytes = file(&colours(), ImageFormat::Png);
        let right = sized(Some(Size::Both([2, 4])), Some(Size::Both([1, 2])))
            .decode(&bytes)
            .unwrap();
        // Between the two pixels a quarter and three quarters of the way.
        assert_eq!(right.shape, [3, 1, 2]);
        assert_eq!(right.pixels[..2], [58, 153]);
    }

    #[test]
    fn shrinking_averages() {
        let stripes = GrayImage::from_fn(64, 8, |x, _| image::Luma([255 * (x % 2) as u8]));
        let resize = Some(Size::Both([4, 8]));
        let small =
            Preparation { resize, ..PLAIN }.prepare(&DynamicImage::from(stripes).into_rgb8());
        let small = small.unwrap();
        assert!(
            small.pixels.iter().all(|pixel| (120..=135).contains(pixel)),
            "{small:?}"
        );
    }

    #[test]
    fn hostile_files_are_refused() {
        let noise = RgbImage::from_fn(40, 30, |x, y| Rgb([(x * 37 + y * 101) as u8; 3]));
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let whole = file(&noise.clone().into(), format);
            assert!(PLAIN.decode(&whole).is_ok());
            for length in (0..whole.len() / 2).step_by(7) {
                if let Err(error) = PLAIN.decode(&whole[..length]) {
                    assert_eq!(error.kind(), crate::error::Kind::User, "{error}");
                }
                // Whatever becomes of the picture, it ends in one of the two.
                let mut spoilt = whole.clone();
                spoilt[length] ^= 0x55;
                let _ = PLAIN.decode(&spoilt);
            }
            assert!(PLAIN.decode(&whole[..whole.len() / 8]).is_err());
        }
        // A header that claims 65,535 x 65,535 pixels.
        let mut png = file(&colours(), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
        assert!(PLAIN.decode(&png).is_err());
        assert!(PLAIN.decode(b"GIF89a").is_err());
    }
}
