//! The locally shared convolution of the paper's C3 and C4, as one grouped convolution.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// Locally shared convolution (paper section 2: ANet's C3 and C4): the output map is cut into `grid`
/// rows x columns of equal cells, and each cell has filters of its own.
///
/// `x` is `N x I x H x W`, `weight` is `cells x O x I x k x k` (cells row by row), `bias` is `cells x O`;
/// gives `N x O x H' x W'`. The neighbourhood of an output place reaches over cell borders.
///
/// Every cell's piece of the padded input is cut out and stacked along the channels, so that one grouped convolution does
/// all cells: on burn's flex back end that is several times faster than a convolution a cell.
pub fn local_conv(
    x: Tensor<4>,
    weight: Tensor<5>,
    bias: Option<Tensor<2>>,
    grid: [usize; 2],
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    let [cells, outputs, inputs, kernel, _] = weight.dims();
    let [rows, columns] = grid;
    let x = if padding > 0 { x.pad((padding, padding, padding, padding), 0.0f32) } else { x };
    let [n, _, height, width] = x.dims();
    let out_height = (height - kernel) / stride + 1;
    let out_width = (width - kernel) / stride + 1;
    let (cell_height, cell_width) = (out_height / rows, out_width / columns);
    let piece_height = (cell_height - 1) * stride + kernel;
    let piece_width = (cell_width - 1) * stride + kernel;

    let mut pieces = Vec::with_capacity(cells);
    for row in 0..rows {
        for column in 0..columns {
            let top = row * cell_height * stride;
            let left = column * cell_width * stride;
            pieces.push(x.clone().slice([
                0..n,
                0..inputs,
                top..top + piece_height,
                left..left + piece_width,
            ]));
        }
    }
    let stacked = Tensor::cat(pieces, 1);
    let weight = weight.reshape([cells * outputs, inputs, kernel, kernel]);
    let bias = bias.map(|bias| bias.reshape([cells * outputs]));
    let out = conv2d(stacked, weight, bias, ConvOptions::new([stride; 2], [0; 2], [1; 2], cells));
    // N x rows x columns x O x h x w  ->  N x O x rows x h x columns x w
    out.reshape([n, rows, columns, outputs, cell_height, cell_width])
        .permute([0, 3, 1, 4, 2, 5])
        .reshape([n, outputs, out_height, out_width])
}
