//! A forward pass like an earlier one allocates nothing.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use lineament_net::{Arithmetic, Layer, Net, NetSpec, Shape, Tensor, Weights};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: hands everything on to the system's allocator and counts beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn net(arithmetic: Arithmetic) -> Net {
    let conv = |name: &str, filters, kernel, stride| Layer::Conv {
        name: name.into(),
        filters,
        kernel,
        stride,
        padding: [kernel / 2; 2],
        groups: 1,
        bias: true,
    };
    let local = Layer::LocalConv {
        name: "local".into(),
        filters: 20,
        kernel: 3,
        stride: 1,
        padding: 1,
        grid: [3, 3],
        bias: true,
    };
    let body = vec![conv("conv1", 24, 3, 1), Layer::Relu, conv("conv2", 24, 3, 1)];
    let layers = vec![
        conv("conv1", 24, 5, 2),
        Layer::Relu,
        Layer::Residual { name: "block".into(), body, shortcut: vec![] },
        Layer::MaxPool { kernel: 2, stride: 2, padding: 0 },
        local,
        Layer::Linear { name: "fc".into(), outputs: 70, bias: true },
    ];
    let spec = NetSpec { name: "steady".into(), input: Shape::new(3, 36, 36), layers };
    Net::with_arithmetic(&spec, &Weights::random(&spec, 1).unwrap(), arithmetic).unwrap()
}

#[test]
fn the_steady_state_allocates_nothing() {
    let [single, eight_bit] = [Arithmetic::Single, Arithmetic::EightBit].map(net);
    for (net, threads) in [(&single, 1), (&single, 2), (&eight_bit, 1), (&eight_bit, 2)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for items in [1, 3, 40] {
            let input = Tensor::from_vec(
                [items, 3, 36, 36],
                (0..items * 3888).map(|v| (v % 97) as f32 / 97.0).collect(),
            );
            let input = input.unwrap();
            let mut output = Tensor::zeros([items, 70, 1, 1]);
            let expected = net.forward(&input).unwrap();
            // How many buffers lie ready depends on who ran beside whom, on a busy machine for long; at some time there are enough.
            let mut allocated = || {
                let before = ALLOCATIONS.load(Ordering::SeqCst);
                (0..20).for_each(|_| net.forward_into(&input, &mut output).unwrap());
                ALLOCATIONS.load(Ordering::SeqCst) - before
            };
            let steady = pool.install(|| (0..50).any(|_| allocated() == 0));
            assert!(steady, "{threads} threads, {items} items: every twenty passes allocate");
            assert_eq!(output, expected);
        }
    }
    let refused = single.forward_into(&Tensor::zeros([1, 3, 36, 36]), &mut Tensor::zeros([1, 69, 1, 1]));
    assert!(refused.unwrap_err().to_string().contains("69"));
    let refused = single.forward_into(&Tensor::zeros([2, 3, 36, 36]), &mut Tensor::zeros([1, 70, 1, 1]));
    assert!(refused.is_err());
}
