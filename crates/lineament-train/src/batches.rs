//! What all stages share in making batches: the order of an epoch, and images to tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};
use lineament::Photo;
use lineament::input::Preprocess;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Every batch is cut into this many shards, each worked on by one thread with batch statistics of its own. It is a constant, not the number of
/// processors, so that the result is the same on every machine.
pub const SHARDS: usize = 2;

/// A random stream of its own for every (seed, a, b): the same on every machine, whatever was drawn before.
pub fn stream(seed: u64, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&a.to_le_bytes());
    key[16..24].copy_from_slice(&b.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// The order in which `count` things are seen in an epoch.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut stream(seed, epoch, u64::MAX));
    order
}

/// Orders of epochs, the last two kept: steps come in sequence, so that each is shuffled once.
#[derive(Default)]
pub struct Orders(std::sync::Mutex<Vec<(u64, std::sync::Arc<Vec<u32>>)>>);

impl Orders {
    /// The order of `epoch`, made by `make` if it is not at hand.
    pub fn get(&self, epoch: u64, make: impl FnOnce() -> Vec<u32>) -> std::sync::Arc<Vec<u32>> {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, order)) = kept.iter().find(|(e, _)| *e == epoch) {
            return order.clone();
        }
        let order = std::sync::Arc::new(make());
        kept.push((epoch, order.clone()));
        if kept.len() > 2 {
            kept.remove(0);
        }
        order
    }
}

/// Where in an epoch a shard of a step stands: the epoch and the range of places in its order.
pub fn place(step: u64, shard: usize, images: usize, batch: usize) -> (u64, std::ops::Range<usize>) {
    let per_epoch = (images / batch).max(1) as u64;
    let size = batch.min(images) / SHARDS;
    let start = (step % per_epoch) as usize * batch + shard * size;
    (step / per_epoch, start..start + size)
}

/// Images of one size as network input on `device`, `N x 3 x H x W`.
pub fn input(photos: &[Photo], preprocess: &Preprocess, device: &Device) -> Tensor<4> {
    let tensor = preprocess.tensor_of(photos);
    let shape = tensor.shape();
    Tensor::from_data(TensorData::new(tensor.into_vec(), shape), device)
}

/// A table of numbers on `device`, `rows x columns`.
pub fn table(values: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows = values.len() / columns.max(1);
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}

/// Numbers of rows or classes on `device`, `N`.
pub fn integers(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}
